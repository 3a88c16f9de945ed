/** A dumped, migrated, empty database that new ones begin with: a first start takes a second instead of ten. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, accessSync, constants } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { migrationsHash, type Migration } from '../migrations';

/** Raised when what is put into an image besides the migrations changes. */
const imageFormat = 1;
const staleAfterMilliseconds = 86_400_000;

export class SeedImage {
  private readonly path: string | null;

  constructor(migrations: readonly Migration[]) {
    const directory = cacheDirectory();
    this.path = directory && join(directory, `seed-${imageFormat}-${pgliteVersion()}-${migrationsHash(migrations)}.tar`);
  }

  /** The image's file, or null where none was made yet. */
  find(): string | null {
    if (this.path === null) return null;
    try {
      return statSync(this.path).isFile() ? this.path : null;
    } catch {
      return null;
    }
  }

  /** Written under another name and renamed, so an image that exists is whole. Without a place to keep it, the next start is slow again. */
  store(image: Uint8Array): void {
    if (this.path === null) return;
    const draft = `${this.path}.${process.pid}.draft`;
    writeFileSync(draft, image, { mode: 0o600 });
    renameSync(draft, this.path);
    this.removeStale();
  }

  /** Images of other versions, a day after they were made. */
  private removeStale(): void {
    const directory = dirname(this.path!);
    const newest = statSync(this.path!).mtimeMs;
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (!name.startsWith('seed-') || file === this.path) continue;
      if (newest - statSync(file).mtimeMs > staleAfterMilliseconds) rmSync(file, { force: true });
    }
  }
}

/** Beside the installed packages; where that is read-only, a directory of this user's under the system's temporary one. */
function cacheDirectory(): string | null {
  const parts = __filename.includes(`${sep}node_modules${sep}`) ? __filename : pglitePath();
  const modules = parts.slice(0, parts.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length);
  const candidates = [join(modules, '.cache', 'simwarden'), join(tmpdir(), `simwarden-cache-${userInfo().uid}`)];
  return candidates.find(isOurs) ?? null;
}

/** Another user's directory could hold an image that we must not trust. */
function isOurs(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK);
    const { uid, mode } = statSync(directory);
    return uid === userInfo().uid && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function pglitePath(): string {
  return require.resolve('@electric-sql/pglite');
}

function pgliteVersion(): string {
  const path = pglitePath();
  const root = path.slice(0, path.lastIndexOf(`${sep}dist${sep}`));
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
