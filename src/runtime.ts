/** What a process takes from outside itself: time, randomness and a log. Everything else receives these; nothing calls Date.now() or Math.random(). */
import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from 'pino';

/** The wall clock, injected so that tests and the demo can stand at any moment. Detectors never see it: their `now` is event time. */
export abstract class Clock {
  abstract now(): Date;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}

/** A clock that stands where it was put: tests move it, the demo moves it with its data. */
export class ManualClock extends Clock {
  constructor(private instant: Date) {
    super();
  }
  now(): Date {
    return new Date(this.instant);
  }
  set(instant: Date): void {
    this.instant = new Date(instant);
  }
  advance(milliseconds: number): void {
    this.instant = new Date(this.instant.getTime() + milliseconds);
  }
}

/** Where ids and secrets come from. */
export abstract class Entropy {
  /** UUIDv7: ordered by creation within a process. */
  abstract uuid(): string;
  /** Cryptographically random bytes. */
  abstract bytes(count: number): Buffer;
}

export class SystemEntropy extends Entropy {
  uuid(): string {
    return uuidv7();
  }
  bytes(count: number): Buffer {
    return randomBytes(count);
  }
}

/** The process's log; an abstract class so that it can be a dependency-injection token. */
export abstract class Log {
  abstract readonly logger: Logger;
}
