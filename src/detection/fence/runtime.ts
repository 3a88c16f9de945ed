/** The few files of ours that a fenced process runs: the compiled ones beside this file, or, in a checkout that runs its sources, compiled for it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FenceRuntime {
  /** The script that the process starts with. */
  readonly script: string;
  /** What it may read of ours. */
  readonly readable: readonly string[];
}

const root = join(__dirname, '../..');
const folders = ['detection/fence', 'detector', 'detector/numeric', 'detector/testing', 'detector/testing/checks'];

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
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- absent from an installed package
  const { transformSync } = require('@swc/core') as typeof import('@swc/core');
  const compiled = mkdtempSync(join(tmpdir(), 'simwarden-fence-'));
  process.once('exit', () => rmSync(compiled, { recursive: true, force: true }));
  for (const folder of folders) {
    mkdirSync(join(compiled, folder), { recursive: true });
    const sources = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const name of sources) {
      const filename = join(root, folder, name);
      const { code } = transformSync(readFileSync(filename, 'utf8'), {
        filename,
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs', ignoreDynamic: true },
      });
      writeFileSync(join(compiled, folder, name.replace(/\.ts$/, '.js')), code);
    }
  }
  return compiled;
}
