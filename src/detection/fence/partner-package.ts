/** Finds a partner's package by name or path, without running anything of it, and says what its process may read. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface PartnerPackage {
  /** As the configuration names it. */
  readonly given: string;
  readonly directory: string;
  /** The module that exports the detector. */
  readonly entry: string;
  /** Files and folders (`…/*`), real paths. */
  readonly readable: readonly string[];
  /** Dependencies that are installed as links: where Node finds them, and where they are. */
  readonly links: readonly Link[];
}

export type Link = readonly [from: string, to: string];

interface Manifest {
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const MOST_PACKAGES = 500;

/** Throws one sentence that says what to do. */
export function findPartnerPackage(given: string, workingDirectory: string): PartnerPackage {
  const found = isPath(given) ? resolve(workingDirectory, given) : installed(given, workingDirectory);
  if (found === null) throw new Error(`no package "${given}" is installed: npm install it, or name a path that begins with ./ or /`);
  if (!existsSync(found)) throw new Error(`there is no ${found}: correct the path`);
  const place = realpathSync(found);
  if (statSync(place).isFile()) return { given, directory: dirname(place), entry: place, ...reachFrom(dirname(place)) };
  const entry = resolve(place, entryOf(manifestOf(place)));
  if (!existsSync(entry))
    throw new Error(`its entry ${entry} does not exist: build the package (npm run build), or correct "main" in its package.json`);
  return { given, directory: place, entry: realpathSync(entry), ...reachFrom(place) };
}

function isPath(given: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$)/.test(given);
}

/** As Node looks for it: in node_modules here and in every folder above. */
function installed(name: string, from: string): string | null {
  if (!PACKAGE_NAME.test(name)) return null;
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return null;
  }
}

function manifestOf(directory: string): Manifest {
  const path = join(directory, 'package.json');
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (error) {
    throw new Error(`${path} is no JSON (${(error as Error).message}): mend it`, { cause: error });
  }
}

function entryOf({ exports, main }: Manifest): string {
  const root = isRecord(exports) && '.' in exports ? exports['.'] : exports;
  return target(root) ?? (typeof main === 'string' ? main : 'index.js');
}

/** The conditions under which a process of Node loads it. */
function target(given: unknown): string | null {
  if (typeof given === 'string') return given;
  if (!isRecord(given)) return null;
  for (const condition of ['node', 'require', 'import', 'default']) {
    const found = target(given[condition]);
    if (found !== null) return found;
  }
  return null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Its own folder, and those of the packages that it declares, and they in turn. Of ours, what an ES module resolves `simwarden/detector` to. */
function reachFrom(directory: string): Pick<PartnerPackage, 'readable' | 'links'> {
  const links: Link[] = [];
  const seen = new Set<string>([directory]);
  const readable = [join(directory, '*')];
  for (const folder of seen) {
    const { dependencies, peerDependencies, optionalDependencies } = manifestOf(folder);
    for (const name of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) {
      const found = installed(name, folder);
      if (found === null) continue; // its own require says so
      const place = realpathSync(found);
      if (name === 'simwarden') readable.push(join(place, 'package.json'), join(place, 'dist/src/detector/*'));
      else if (!seen.has(place)) {
        seen.add(place);
        readable.push(join(place, '*'), join(found, '*')); // Node asks for the one through the link, and reads the other
        if (found !== place) links.push([found, place]);
      }
    }
    if (seen.size > MOST_PACKAGES) throw new Error(`it depends on more than ${MOST_PACKAGES} packages: bundle what it needs`);
  }
  return { readable, links };
}
