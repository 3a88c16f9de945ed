/** Benches measure the WebAssembly kernels as the sources now stand. */
import { join } from 'node:path';

export async function buildKernels(): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  await (require(join(__dirname, '../support/build-kernels.js')) as () => Promise<void>)();
}
