/** One process for one partner's detector: no environment, no files but its own, bounded memory, and an end to every question. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { encodeFrame, FrameReader, type Frame } from './frame';
import { WATCH_MILLISECONDS } from './limits';
import type { PartnerPackage } from './partner-package';
import { fenceRuntime } from './runtime';

const MEGABYTE = 1024 * 1024;
const PAGE_BYTES = 4096;

export interface QuestionLimits {
  readonly milliseconds: number;
  readonly answerBytes: number;
}

/** The process was ended, or ended itself, over a question. */
export class ProcessDied extends Error {}

/** Processes that must not outlive this one. */
const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

export class FencedProcess {
  private readonly child: ChildProcess;
  private heard: (chunk: Buffer) => void = () => undefined;
  private ended = false;

  constructor(
    { directory, readable }: PartnerPackage,
    private readonly memoryMegabytes: number,
  ) {
    const runtime = fenceRuntime();
    const allowed = withoutCovered([...runtime.readable, ...readable]).map((path) => `--allow-fs-read=${path}`);
    this.child = spawn(process.execPath, [permissionFlag(), ...allowed, `--max-old-space-size=${this.heapMegabytes}`, runtime.script], {
      env: {},
      cwd: directory,
      // What it prints goes nowhere: nobody could bound it.
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    });
    alive.add(this.child);
    // A broken pipe says nothing that the end of the process does not.
    for (const stream of [this.questions, this.answers]) stream.on('error', () => undefined);
    this.answers.on('data', (chunk: Buffer) => this.heard(chunk));
    this.child.on('error', () => (this.ended = true));
    this.child.once('exit', () => {
      this.ended = true;
      alive.delete(this.child);
    });
  }

  get isDead(): boolean {
    return this.ended;
  }

  /** Rejects at the first of: an error told, an end, too long an answer, too much memory, no answer in time. All but the first are its end. */
  exchange(question: Frame, { milliseconds, answerBytes }: QuestionLimits): Promise<Frame> {
    const reader = new FrameReader(answerBytes);
    return new Promise<Frame>((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        clearInterval(watch);
        this.child.off('exit', exited).off('error', failed);
        this.heard = () => this.kill(); // whatever it says unasked
        settle();
      };
      const die = (why: string) => {
        this.kill();
        done(() => reject(new ProcessDied(why)));
      };
      const exited = (code: number | null, signal: NodeJS.Signals | null) => die(this.endInWords(code, signal));
      const failed = (error: Error) => die(`its process can't be started: ${error.message}`);
      const timer = setTimeout(() => die(`no answer within ${Math.round(milliseconds)} ms`), milliseconds);
      const watch = setInterval(() => {
        void residentBytes(this.child.pid).then((bytes) => {
          if (bytes > this.memoryMegabytes * MEGABYTE) die(`its process held more than ${this.memoryMegabytes} MB`);
        });
      }, WATCH_MILLISECONDS);
      this.heard = (chunk) => {
        try {
          const answer = reader.push(chunk);
          if (answer === null) return;
          const { error } = (answer.words ?? {}) as { error?: unknown };
          done(() => (typeof error === 'string' ? reject(new Error(error)) : resolve(answer)));
        } catch (error) {
          die(`it sent ${(error as Error).message}`);
        }
      };
      this.child.on('exit', exited).on('error', failed);
      this.child.kill('SIGCONT');
      for (const part of encodeFrame(question)) this.questions.write(part);
    });
  }

  /** Between questions it stands still: it can neither compute nor allocate. */
  suspend(): void {
    if (!this.ended) this.child.kill('SIGSTOP');
  }

  kill(): void {
    this.ended = true;
    this.child.kill('SIGKILL');
  }

  async gone(): Promise<void> {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise((resolve) => this.child.once('exit', resolve));
  }

  private get questions(): NonNullable<ChildProcess['stdin']> {
    return this.child.stdin!;
  }

  private get answers(): Duplex {
    return this.child.stdio[3] as Duplex;
  }

  private get heapMegabytes(): number {
    return Math.ceil(this.memoryMegabytes / 2);
  }

  private endInWords(code: number | null, signal: NodeJS.Signals | null): string {
    // So V8 ends a process whose heap is full.
    if (signal === 'SIGABRT' || signal === 'SIGTRAP') return `its process ran out of heap (${this.heapMegabytes} MB)`;
    return signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`;
  }
}

function permissionFlag(): string {
  return process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
}

/** Each once, and none that lies in another: Node 20 aborts on a path that it was given before. */
function withoutCovered(paths: readonly string[]): string[] {
  const folders = paths.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1));
  return [...new Set(paths)].filter((path) => !folders.some((folder) => path.startsWith(folder) && path !== `${folder}*`));
}

/** Linux says it; where the process is gone, or there is no /proc, nothing is known and only the heap is bounded. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'latin1').catch(() => '0 0');
  return Number(statm.split(' ')[1]) * PAGE_BYTES;
}
