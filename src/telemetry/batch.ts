/** Whose batch it is and under which names it is stored. */
import { createHash } from 'node:crypto';
import { isOperator, type Caller } from '../graphql/caller';
import type { LedgerChunk } from './chunk';

export interface Batch {
  readonly caller: Caller;
  /** The caller's own client: 0 for an operator, whose records may be anyone's. */
  readonly ownClientId: number;
  readonly operator: boolean;
  readonly kind: string;
  readonly source: string;
  /** The key that the sender gave; null where the content is the key. */
  readonly givenKey: string | null;
}

export function batchOf(caller: Caller, kind: string, source: string | null, givenKey: string | null): Batch {
  const operator = isOperator(caller);
  return { caller, ownClientId: operator ? 0 : caller.clientId, operator, kind, source: source ?? caller.credentialId, givenKey };
}

/**
 * Names the chunks of a body that came without a key. The body's SHA-256 is only known at its end, and by then chunks are stored; so each chunk is
 * named by the SHA-256 of all chunks up to it. The same body sent again meets the same names, a file that has grown meets those of its old part,
 * and the last name stands for the whole body.
 */
export class BatchNames {
  private soFar = '';

  constructor(private readonly givenKey: string | null) {}

  of(chunk: LedgerChunk): string {
    if (this.givenKey !== null) return this.givenKey;
    const content = chunk.hash(chunk.rowCount);
    this.soFar = createHash('sha256').update(this.soFar).update(content).digest('hex');
    return `sha256:${this.soFar}`;
  }
}

/** An operator's ledger rows in a client's part have names that the client's own keys can't take. */
export function ledgerBatch(batch: Batch, name: string): string {
  return `${batch.operator ? 'operator' : 'client'}:${name}`;
}
