/** Importing what a partner wrote, in CommonJS or as an ES module, with `simwarden/detector` being our own whichever it was installed beside. */
import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Detector } from '../../detector';
import type { Link } from './partner-package';

export async function importDetector(entry: string): Promise<Detector> {
  const found = unwrapped(await importModule(entry), (exported) => 'meta' in exported && typeof exported['detect'] === 'function');
  if (found === undefined)
    throw new TypeError('it exports no detector: expected `export default defineDetector({ … })`, or module.exports of one');
  return found as unknown as Detector;
}

/** CommonJS as it is; an ES module by import, as Node says. */
export async function importModule(path: string): Promise<unknown> {
  try {
    return createRequire(path)(path) as unknown;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_REQUIRE_ESM') throw error;
    return import(pathToFileURL(path).href);
  }
}

/** The export that is it, also where a compiler or an import wrapped it once or twice as `default`. */
export function unwrapped(exported: unknown, isIt: (exported: Record<string, unknown>) => boolean): object | undefined {
  let candidate = exported as Record<string, unknown> | null | undefined;
  for (let depth = 0; depth < 3 && typeof candidate === 'object' && candidate !== null; depth++) {
    if (isIt(candidate)) return candidate;
    candidate = candidate['default'] as Record<string, unknown> | undefined;
  }
  return undefined;
}

export function resolveContract(): void {
  const loader = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request, ...rest) => {
    const part = /^simwarden\/detector(\/numeric|\/testing)?$/.exec(request);
    return resolve.call(Module, part ? join(__dirname, '../../detector', part[1] ?? '', 'index') : request, ...rest);
  };
}

/** Behind the fence Node may not look at the folders that lead to a linked dependency; it is told where the link ends. Of CommonJS, which asks `fs`. */
export function followLinks(links: readonly Link[]): void {
  const realpath = fs.realpathSync;
  const follow = (path: fs.PathLike, options?: fs.EncodingOption): string => {
    const link = links.find(([from]) => String(path).startsWith(`${from}/`));
    return link ? `${link[1]}${String(path).slice(link[0].length)}` : realpath(path, options);
  };
  fs.realpathSync = Object.assign(follow, { native: realpath.native }) as typeof fs.realpathSync;
}
