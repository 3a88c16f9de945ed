/** WebAssembly kernels: built from the AssemblyScript sources in `assembly/` folders, found beside the code that uses them, and never necessary. */
import { existsSync, readFileSync } from 'node:fs';

/** One kernel with a memory of its own. What a call leaves in the memory means nothing to the next. */
export interface Kernel {
  readonly call: Readonly<Record<string, (...given: number[]) => number>>;
  /** A memory of at least so many bytes; views on what it was before are no longer valid. */
  reserve(bytes: number): ArrayBuffer;
}

const PAGE_BYTES = 65_536;

/** What is used of WebAssembly's interface; its types otherwise come with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly CompileError: new () => Error;
};
interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The kernel in a `.wasm` file, compiled; undefined where the file isn't there or this machine can't run it: then plain code does the same. */
export function loadKernel(path: string): Kernel | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)));
    const memory = exports.memory as LinearMemory;
    return {
      call: exports as Kernel['call'],
      reserve(bytes) {
        const missing = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
        if (missing > 0) memory.grow(missing);
        return memory.buffer;
      },
    };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}
