/** So much work at once, of which each client has its share: whoever asks for a lot waits behind himself, not before the others. */

export class FairTurns {
  private running = 0;
  private readonly runningOf = new Map<number, number>();
  /** In the order in which clients are served next. */
  private readonly waiting = new Map<number, (() => void)[]>();

  constructor(
    private readonly most: number,
    private readonly mostEach: number,
  ) {}

  async run<T>(client: number, work: () => Promise<T>): Promise<T> {
    if (!this.mayBegin(client)) {
      const queue = this.waiting.get(client) ?? [];
      this.waiting.set(client, queue);
      await new Promise<void>((begin) => queue.push(begin)); // the turn is handed over
    } else {
      this.begin(client);
    }
    try {
      return await work();
    } finally {
      this.end(client);
    }
  }

  private mayBegin(client: number): boolean {
    return this.running < this.most && (this.runningOf.get(client) ?? 0) < this.mostEach;
  }

  private begin(client: number): void {
    this.running += 1;
    this.runningOf.set(client, (this.runningOf.get(client) ?? 0) + 1);
  }

  private end(client: number): void {
    this.running -= 1;
    const left = this.runningOf.get(client)! - 1;
    if (left === 0) this.runningOf.delete(client);
    else this.runningOf.set(client, left);
    for (const [next, queue] of this.waiting) {
      if (!this.mayBegin(next)) continue;
      this.begin(next);
      // To the end of the line, so that the next turn is another client's.
      this.waiting.delete(next);
      const begin = queue.shift()!;
      if (queue.length > 0) this.waiting.set(next, queue);
      return begin();
    }
  }
}
