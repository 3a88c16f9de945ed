/** The context of a request without a valid credential: the gate lets only `__typename` through, so whoever asks more of it has a fault. */
import type { Clock, Entropy } from '../runtime';
import type { Caller } from './caller';
import type { GraphqlContext } from './context';
import { SimwardenError } from '../errors';
import type { OperationServices } from './operation-context';

export class AnonymousContext implements GraphqlContext {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly requestId: string;

  constructor(services: OperationServices) {
    this.clock = services.clock;
    this.entropy = services.entropy;
    this.requestId = services.entropy.uuid();
  }
  get caller(): Caller {
    throw new SimwardenError('UNAUTHENTICATED');
  }
  read(): Promise<never> {
    return Promise.reject(new SimwardenError('UNAUTHENTICATED'));
  }
  write(): Promise<never> {
    return Promise.reject(new SimwardenError('UNAUTHENTICATED'));
  }
  load(): Promise<never> {
    return Promise.reject(new SimwardenError('UNAUTHENTICATED'));
  }
  async abandon(): Promise<void> {
    // holds nothing
  }
  async end(): Promise<void> {
    // holds nothing
  }
}
