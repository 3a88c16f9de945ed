/** How many requests a credential may send, over both transports of this process. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { SimwardenError } from '../errors';

export class CredentialRate {
  private readonly limiter: RateLimiterMemory;

  constructor(requestsPerMinute: number) {
    this.limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
  }

  /** Counts one request; throws RATE_LIMITED with the seconds to wait. */
  async spend(credential: string): Promise<void> {
    try {
      await this.limiter.consume(credential);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new SimwardenError('RATE_LIMITED', { seconds: Math.ceil(refused.msBeforeNext / 1000) });
    }
  }
}
