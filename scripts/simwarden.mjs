// The command line from a checkout: builds where there is no build or the source is newer, then is the command, so that signals and exit codes are its own.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function newestOf(path) {
  const stats = statSync(path);
  return stats.isDirectory() ? Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestOf(join(path, name)))) : stats.mtimeMs;
}

const builtAt = statSync(join(root, 'dist/built'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (
  ['src', 'plugins', 'seeds', 'package.json', 'tsconfig.json', 'tsconfig.build.json'].some((name) => newestOf(join(root, name)) > builtAt)
) {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
createRequire(import.meta.url)(join(root, 'dist/src/main.js'));
