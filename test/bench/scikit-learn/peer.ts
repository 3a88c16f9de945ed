/** scikit-learn as a peer: a Python process that answers its own CPU seconds, line by line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Sample } from '../harness';

/** Debian's package (`apt-get install python3-sklearn`) is for this interpreter. */
const PYTHON = '/usr/bin/python3';

interface Answer extends Sample {
  readonly [name: string]: number;
}

export class ScikitLearn {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly reader: Interface,
    readonly version: number,
  ) {}

  /** `script`: a file beside this one; its first line of output says that it is ready. */
  static async start(script: string, args: readonly string[]): Promise<ScikitLearn> {
    const child = spawn(PYTHON, [join(__dirname, script), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    });
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    const reader = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]).catch((error: Error) => Promise.reject(missing(error.message)));
    if (first.done) throw missing('the process ended');
    return new ScikitLearn(child, lines, reader, Number(first.value));
  }

  /** Lets it do its work once. */
  async turn(): Promise<Answer> {
    this.child.stdin!.write('\n');
    const line = await this.lines.next();
    if (line.done) throw missing('the process ended');
    return JSON.parse(line.value) as Answer;
  }

  stop(): void {
    this.reader.close();
    this.child.stdin!.end();
  }
}

function missing(what: string): Error {
  return new Error(`scikit-learn does not run (${what}); install it, on Debian: apt-get install python3-sklearn`);
}
