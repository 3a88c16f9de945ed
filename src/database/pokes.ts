/** Wakes workers when there is something to do. A poke is only a hint: workers poll as well, so a lost one costs time, never work. */
import { EventEmitter } from 'node:events';
import type { PokeChannel } from './database';

export interface Pokes {
  on(channel: PokeChannel, listener: () => void): () => void;
  send(channel: PokeChannel): void;
  close(): Promise<void>;
}

/** Pokes within this process: all that the embedded database needs, since one process holds it. */
export class LocalPokes implements Pokes {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  on(channel: PokeChannel, listener: () => void): () => void {
    this.emitter.on(channel, listener);
    return () => this.emitter.off(channel, listener);
  }

  send(channel: PokeChannel): void {
    this.emitter.emit(channel);
  }

  close(): Promise<void> {
    this.emitter.removeAllListeners();
    return Promise.resolve();
  }
}
