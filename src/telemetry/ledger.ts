/** The ledger of chunks: what was stored under a batch's key, so that a repeat is answered from here and a different body refused. */
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { LedgerChunk } from './chunk';

export interface IngestError {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface Counts {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** The first 100, by line. */
  readonly errors: readonly IngestError[];
}

export const NO_COUNTS: Counts = { accepted: 0, duplicates: 0, rejected: 0, errors: [] };
export const MOST_ERRORS = 100;

export function addCounts(left: Counts, right: Counts): Counts {
  const errors = [...left.errors, ...right.errors].sort((a, b) => a.line - b.line).slice(0, MOST_ERRORS);
  return {
    accepted: left.accepted + right.accepted,
    duplicates: left.duplicates + right.duplicates,
    rejected: left.rejected + right.rejected,
    errors,
  };
}

export interface LedgerKey {
  readonly clientId: number;
  readonly source: string;
  readonly kind: string;
  readonly batch: string;
  readonly chunk: number;
}

/** What became of the last row of a body that ended without a line break: enough to take it back when the whole body follows. */
export interface Tail {
  /** SHA-256 of the row, hex, and its length: the whole row begins with it. */
  readonly hash: string;
  readonly bytes: number;
  readonly line: number;
  readonly clientId: number;
  /** ELSEWHERE: the row belongs to another client's part of the chunk. */
  readonly outcome: 'ACCEPTED' | 'DUPLICATE' | 'REJECTED' | 'ELSEWHERE';
  readonly record: { readonly day: string; readonly id: string; readonly contentHash: string } | null;
  readonly quarantined: { readonly hash: string; readonly code: string } | null;
}

export function tailOf(
  clientId: number,
  row: { readonly bytes: Buffer; readonly line: number },
  outcome: Tail['outcome'],
  record: Tail['record'],
  quarantined: { readonly hash: string; readonly error: { readonly code: string } } | null,
): Tail {
  return {
    hash: createHash('sha256').update(row.bytes).digest('hex'),
    bytes: row.bytes.length,
    line: row.line,
    clientId,
    outcome,
    record,
    quarantined: quarantined && { hash: quarantined.hash, code: quarantined.error.code },
  };
}

export interface LedgerEntry {
  readonly counts: Counts;
  /** SHA-256 of the settled rows of the chunk, those of other clients included. */
  readonly hash: Buffer;
  readonly settledRows: number;
  readonly tail: Tail | null;
}

export async function findEntry(tx: Transaction, key: LedgerKey): Promise<LedgerEntry | null> {
  const [row] = await tx.query<{
    hash: Buffer;
    settled_rows: number;
    tail: Tail | null;
    accepted: number;
    duplicates: number;
    rejected: number;
    errors: IngestError[];
  }>(
    `SELECT hash, settled_rows, tail, accepted, duplicates, rejected, errors FROM ingest_chunk
      WHERE client_id = $1 AND source = $2 AND kind = $3 AND batch_key = $4 AND chunk = $5`,
    [key.clientId, key.source, key.kind, key.batch, key.chunk],
  );
  if (!row) return null;
  const { hash, settled_rows: settledRows, tail, ...counts } = row;
  return { hash, settledRows, tail, counts };
}

/**
 * Makes the chunk ours (null), or answers what is stored under its key. Waits for another transaction that is storing it. `outcome`: what will become of
 * it, where that is known already; otherwise `writeEntry` follows.
 */
export async function claimEntry(
  tx: Transaction,
  key: LedgerKey,
  chunk: LedgerChunk,
  now: Date,
  { counts, tail }: Pick<LedgerEntry, 'counts' | 'tail'> = { counts: NO_COUNTS, tail: null },
): Promise<LedgerEntry | null> {
  const claimed = await tx.query(
    `INSERT INTO ingest_chunk (client_id, source, kind, batch_key, chunk, hash, settled_rows, tail, accepted, duplicates, rejected, errors, committed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12::jsonb, $13)
     ON CONFLICT (client_id, source, kind, batch_key, chunk) DO NOTHING RETURNING chunk`,
    entryParameters(key, chunk, counts, tail, now),
  );
  return claimed.length === 1 ? null : findEntry(tx, key);
}

export async function writeEntry(
  tx: Transaction,
  key: LedgerKey,
  chunk: LedgerChunk,
  counts: Counts,
  tail: Tail | null,
  now: Date,
): Promise<void> {
  await tx.query(
    `UPDATE ingest_chunk SET hash = $6, settled_rows = $7, tail = $8::jsonb, accepted = $9, duplicates = $10, rejected = $11, errors = $12::jsonb,
            committed_at = $13
      WHERE client_id = $1 AND source = $2 AND kind = $3 AND batch_key = $4 AND chunk = $5`,
    entryParameters(key, chunk, counts, tail, now),
  );
}

function entryParameters(key: LedgerKey, chunk: LedgerChunk, counts: Counts, tail: Tail | null, now: Date): unknown[] {
  return [
    key.clientId,
    key.source,
    key.kind,
    key.batch,
    key.chunk,
    chunk.hash(),
    chunk.settledRows,
    tail && JSON.stringify(tail),
    counts.accepted,
    counts.duplicates,
    counts.rejected,
    JSON.stringify(counts.errors),
    now,
  ];
}

/** How a chunk stands to what is stored under its key. */
export type Standing =
  | { readonly is: 'NEW' }
  | { readonly is: 'REPEAT'; readonly counts: Counts }
  /** The stored body ended inside this chunk; rows from `from` on are missing. `takeBack`: its last row was cut and reads differently now. */
  | { readonly is: 'CONTINUATION'; readonly counts: Counts; readonly from: number; readonly takeBack: Tail | null };

/**
 * Throws BATCH_CONFLICT where the stored rows are not a beginning of the chunk. A file that was cut at rest looks whole to a server, so a longer
 * body that begins with the stored one, to the byte, is its continuation under the same key, not a conflict.
 */
export function standingOf(entry: LedgerEntry | null, chunk: LedgerChunk, batch: string): Standing {
  if (!entry) return { is: 'NEW' };
  const { settledRows, tail, counts } = entry;
  const begins =
    settledRows <= chunk.rowCount &&
    (settledRows === 0 || chunk.hash(settledRows).equals(entry.hash)) &&
    (tail === null || chunk.rowHash(settledRows, tail.bytes) === tail.hash);
  if (!begins) throw new SimwardenError('BATCH_CONFLICT', { chunk: chunk.number, batch });
  const tailStands = tail !== null && chunk.rowBytes(settledRows) === tail.bytes;
  const stored = settledRows + (tailStands ? 1 : 0);
  if (tail !== null && !tailStands) return { is: 'CONTINUATION', counts: withoutTail(counts, tail), from: stored, takeBack: tail };
  if (stored === chunk.rowCount) return { is: 'REPEAT', counts };
  return { is: 'CONTINUATION', counts, from: stored, takeBack: null };
}

function withoutTail(counts: Counts, tail: Tail): Counts {
  return {
    accepted: counts.accepted - (tail.outcome === 'ACCEPTED' ? 1 : 0),
    duplicates: counts.duplicates - (tail.outcome === 'DUPLICATE' ? 1 : 0),
    rejected: counts.rejected - (tail.outcome === 'REJECTED' ? 1 : 0),
    errors: counts.errors.filter((error) => error.line !== tail.line),
  };
}
