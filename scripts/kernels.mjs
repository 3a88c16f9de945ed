// Builds the WebAssembly kernels: assembly/NAME.ts becomes NAME.wasm in the folder above it, where the code that uses it looks.
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function sources() {
  return ['src', 'plugins'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true })
      .map((path) => join(root, top, path))
      .filter((path) => basename(dirname(path)) === 'assembly' && path.endsWith('.ts')),
  );
}

async function compile(source, target) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    ['kernel.ts', '--outFile', 'kernel.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--disable', 'bulk-memory'],
    {
      readFile: (name) => (name === 'kernel.ts' ? readFileSync(source, 'utf8') : null),
      writeFile: (name, content) => {
        if (name === 'kernel.wasm') binary = content;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`${relative(root, source)} does not compile:\n${stderr.toString()}`);
  // complete or not there: another process may be looking
  writeFileSync(`${target}.${process.pid}`, binary);
  renameSync(`${target}.${process.pid}`, target);
}

/** Answers the kernels, relative to the root; compiles those whose source is newer. */
export async function buildKernels() {
  const targets = [];
  for (const source of sources()) {
    const target = join(dirname(dirname(source)), basename(source, '.ts') + '.wasm');
    if (!existsSync(target) || statSync(target).mtimeMs < statSync(source).mtimeMs) await compile(source, target);
    targets.push(relative(root, target));
  }
  return targets;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const target of await buildKernels()) process.stdout.write(`${target}: ${statSync(join(root, target)).size} bytes\n`);
}
