/** Stands between the host and one partner's detector: one question at a time, a new process where the last one died, rest where they keep dying. */
import { throwTold, type Loaded, type LoadWords } from './call';
import { FencedProcess, ProcessDied, type QuestionLimits } from './fenced-process';
import type { Frame } from './frame';
import { DEATHS_UNTIL_REST, MOST_DECLARATION_BYTES, REST_MILLISECONDS, START_MILLISECONDS } from './limits';
import type { PartnerPackage } from './partner-package';

export class Fence {
  private process: FencedProcess | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  /** Calls in a row over which its process died. */
  private deaths = 0;
  private rest: NodeJS.Timeout | null = null;
  private lastDeath = '';
  private declaration: string | null = null;
  private closed = false;

  constructor(
    private readonly partner: PartnerPackage,
    private readonly memoryMegabytes: number,
  ) {}

  /** Another process for the same package: what it does there costs this one neither its time nor its standing. */
  beside(): Fence {
    const fence = new Fence(this.partner, this.memoryMegabytes);
    fence.declaration = this.declaration;
    return fence;
  }

  /** What the package says of itself, unchecked. */
  load(): Promise<Loaded> {
    return this.inTurn(() => this.start());
  }

  /** The answer is the partner's own, unchecked. Rejects with what a person is to be told. `signal`: nobody waits for the answer any more. */
  ask(question: Frame, limits: QuestionLimits, signal: AbortSignal): Promise<Frame> {
    return this.inTurn(async () => {
      if (signal.aborted) throw new Error('not asked: calls before it took its time');
      if (this.rest !== null)
        throw new Error(`not asked: ${this.lastDeath}, ${this.deaths} times in a row; it rests for ${REST_MILLISECONDS / 1000} s`);
      if (this.process === null || this.process.isDead) await this.start();
      try {
        const answer = await this.process!.exchange(question, limits);
        this.deaths = 0;
        throwTold(answer);
        return answer;
      } catch (error) {
        if (error instanceof ProcessDied) this.countDeath(error.message);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.rest !== null) clearTimeout(this.rest);
    this.process?.kill();
    await this.process?.gone();
  }

  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.turn.then(async () => {
      if (this.closed) throw new Error('the server stops');
      try {
        return await work();
      } finally {
        this.process?.suspend();
      }
    });
    this.turn = mine.catch(() => undefined); // whoever asked is told
    return mine;
  }

  private async start(): Promise<Loaded> {
    const started = new FencedProcess(this.partner, this.memoryMegabytes);
    this.process = started;
    const { entry, links } = this.partner;
    const answer = await started.exchange(
      { words: { call: 'load', entry, links } satisfies LoadWords, numbers: [] },
      { milliseconds: START_MILLISECONDS, answerBytes: MOST_DECLARATION_BYTES },
    );
    throwTold(answer);
    const { words } = answer;
    const declaration = JSON.stringify(words);
    this.declaration ??= declaration;
    if (declaration !== this.declaration) {
      started.kill();
      throw new Error('its package was changed since the start: restart Simwarden');
    }
    return words as Loaded;
  }

  private countDeath(why: string): void {
    this.lastDeath = why;
    this.deaths += 1;
    if (this.deaths < DEATHS_UNTIL_REST || this.closed) return;
    this.rest = setTimeout(() => (this.rest = null), REST_MILLISECONDS).unref();
  }
}
