/** The lock file is whole, so that `npm ci` takes it on every platform: also where what one platform alone needs was not to be had when it was written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(__dirname, '../../package-lock.json'), 'utf8')) as { packages: Record<string, LockedPackage> };

/** Whether Node would find the package from there: in its own node_modules, or in one further up. */
function isLocked(from: string, name: string): boolean {
  const folders = from.split('/node_modules/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/node_modules/'));
  return ['', ...folders].some((folder) => lock.packages[`${folder}${folder && '/'}node_modules/${name}`] !== undefined);
}

it('names the version of everything that something depends on, of other platforms too', () => {
  const missing = Object.entries(lock.packages).flatMap(([from, { dependencies = {}, optionalDependencies = {} }]) =>
    [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]
      .filter((name) => !isLocked(from, name))
      .map((name) => `${from} → ${name}`),
  );
  expect(Object.keys(lock.packages).length).toBeGreaterThan(500);
  expect(missing).toEqual([]);
  expect(Object.entries(lock.packages).filter(([, { version }]) => version === undefined)).toEqual([]);
});
