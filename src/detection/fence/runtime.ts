/** The few files of ours that a fenced process runs: the compiled ones beside this file, or, in a checkout that runs its sources, compiled for it. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface FenceRuntime {
  /** The script that the process starts with. */
  readonly script: string;
  /** What it may read of ours. */
  readonly readable: readonly string[];
}

const root = join(__dirname, '../..');
const folders = ['detection/fence', 'detector'];

let known: FenceRuntime | undefined;

export function fenceRuntime(): FenceRuntime {
  known ??= runtimeIn(realpathSync(__filename.endsWith('.ts') ? compiledSources() : root));
  return known;
}

function runtimeIn(directory: string): FenceRuntime {
  return {
    script: join(directory, 'detection/fence/child.js'),
    readable: [join(directory, 'detection/fence/*'), join(directory, 'detector/*')],
  };
}

/** Behind the fence no compiler can be loaded. Only a checkout gets here, and it has the development dependency. */
function compiledSources(): string {
  const compiled = mkdtempSync(join(tmpdir(), 'simwarden-fence-'));
  process.once('exit', () => rmSync(compiled, { recursive: true, force: true }));
  for (const folder of folders) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const from = join(root, folder, path);
      const to = join(compiled, folder, path);
      // What is compiled to WebAssembly beforehand is no TypeScript.
      if (statSync(from).isDirectory() || /\.test\.ts$|(^|\/)assembly\//.test(path)) continue;
      mkdirSync(dirname(to), { recursive: true });
      if (path.endsWith('.ts')) writeFileSync(to.replace(/ts$/, 'js'), javascriptOf(from));
      else copyFileSync(from, to);
    }
  }
  return compiled;
}

function javascriptOf(filename: string): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- absent from an installed package
  const { transformSync } = require('@swc/core') as typeof import('@swc/core');
  return transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs', ignoreDynamic: true },
  }).code;
}
