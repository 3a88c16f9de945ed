/** `simwarden bench`: the suites stand beside the tests and measure against development dependencies, so they run from a checkout only. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SimwardenError } from '../errors';

/** Answers the exit code. */
export async function bench(suiteAndOptions: readonly string[]): Promise<number> {
  // from src/commands as from dist/src/commands
  const root = [join(__dirname, '../..'), join(__dirname, '../../..')].find((directory) =>
    existsSync(join(directory, 'test/bench/main.ts')),
  );
  if (root === undefined) throw new SimwardenError('CHECKOUT_NEEDED', { what: 'bench' });
  const child = spawn(
    process.execPath,
    ['--expose-gc', '-r', join(root, 'test/support/register-typescript.js'), join(root, 'test/bench/main.ts'), ...suiteAndOptions],
    { cwd: root, stdio: 'inherit' },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
