/** What a resolver receives: the caller, the transactions of this operation, and its loaders. Resolvers never touch the database otherwise. */
import DataLoader from 'dataloader';
import type { Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';
import type { Caller } from './caller';

/** A batch function with a name; each operation gets its own DataLoader of it. Keys are strings or plain values; make compound keys strings. */
export interface LoaderDefinition<Key, Value> {
  readonly name: string;
  readonly batch: (keys: readonly Key[], context: GraphqlContext) => Promise<readonly (Value | Error | null)[]>;
}

export function defineLoader<Key, Value>(name: string, batch: LoaderDefinition<Key, Value>['batch']): LoaderDefinition<Key, Value> {
  return { name, batch };
}

export interface GraphqlContext {
  readonly caller: Caller;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly requestId: string;
  /**
   * Runs in the operation's one READ ONLY transaction (opened on first use, under the caller's database role and client; ended with the operation,
   * or before the next write). Concurrent calls take turns.
   */
  read<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs in a transaction of its own, once per mutation root field, under the caller's database role. `clientId`: the client that an operator acts for. */
  write<T>(name: string, clientId: number, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** One key through this operation's DataLoader. */
  load<Key, Value>(loader: LoaderDefinition<Key, Value>, key: Key): Promise<Value | null>;
}

/** The loaders of one operation, made on first use. */
export class LoaderCache {
  private readonly loaders = new Map<LoaderDefinition<never, unknown>, DataLoader<unknown, unknown>>();

  load<Key, Value>(definition: LoaderDefinition<Key, Value>, key: Key, context: GraphqlContext): Promise<Value | null> {
    const identity = definition as unknown as LoaderDefinition<never, unknown>;
    let loader = this.loaders.get(identity);
    if (!loader) {
      loader = new DataLoader<unknown, unknown>((keys) => definition.batch(keys as readonly Key[], context));
      this.loaders.set(identity, loader);
    }
    return loader.load(key) as Promise<Value | null>;
  }
}
