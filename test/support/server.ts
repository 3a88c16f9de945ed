/** Starts servers as processes of their own, and orders them about: what tests of kills and of several processes stand on. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { KillPoint, Order, ProcessOptions, Word } from './server-process';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServerProcess {
  /** Names of the transactions that wrote and committed since `watch`. */
  readonly commits: string[] = [];
  readonly exited: Promise<Exit>;
  url = '';
  private readonly words = new Set<(word: Word) => void>();

  private constructor(private readonly child: ChildProcess) {
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.on('message', (word: Word) => {
      if (word.is === 'committed') this.commits.push(word.name);
      for (const hear of this.words) hear(word);
    });
  }

  /** Resolves when it listens. */
  static async start(options: ProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(
      fork(join(__dirname, 'server-process.ts'), [JSON.stringify(options)], {
        execArgv: ['-r', join(__dirname, 'register-typescript.js')],
      }),
    );
    const word = await server.hear((said) => said.is === 'listening');
    server.url = (word as Extract<Word, { is: 'listening' }>).url;
    return server;
  }

  /** From now on commits are counted; `killAt`: at which one it dies. */
  async watch(killAt: KillPoint | null): Promise<void> {
    this.commits.length = 0;
    await this.order({ do: 'watch', killAt });
  }

  /** All background work that is due is done. */
  async settle(): Promise<void> {
    await this.order({ do: 'settle' });
  }

  /** Ends in order. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await this.order({ do: 'close' });
    this.child.disconnect();
    await this.exited;
  }

  /** Ends at once. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private async order(order: Order): Promise<void> {
    const done = this.hear((word) => word.is === 'done' && word.order === order.do);
    this.child.send(order);
    await done;
  }

  private hear(wanted: (word: Word) => boolean): Promise<Word> {
    return new Promise((resolve, reject) => {
      const hear = (word: Word): void => {
        if (word.is === 'failed') stop(() => reject(new Error(`the server process: ${word.error}`)));
        else if (wanted(word)) stop(() => resolve(word));
      };
      const ended = (code: number | null, signal: string | null): void =>
        stop(() => reject(new Error(`the server process ended (${signal ?? code}) before it answered`)));
      const stop = (settle: () => void): void => {
        this.words.delete(hear);
        this.child.off('exit', ended);
        settle();
      };
      this.words.add(hear);
      this.child.once('exit', ended);
    });
  }
}
