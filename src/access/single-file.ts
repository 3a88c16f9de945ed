/** One piece of work after the other, of which so many may wait: what strangers may ask of us at once. */
import { SimwardenError } from '../errors';

export class SingleFile {
  private waiting = 0;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(private readonly most: number) {}

  /** Throws RATE_LIMITED where too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.most) throw new SimwardenError('RATE_LIMITED', { seconds: 1 });
    this.waiting += 1;
    const result = this.tail.then(work).finally(() => (this.waiting -= 1));
    this.tail = result.catch(() => undefined);
    return result;
  }
}
