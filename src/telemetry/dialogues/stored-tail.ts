/** A dialogue from a row that turned out to be cut: written down when it was stored, so that exactly it can be taken back. */
import type { Transaction } from '../../database/database';
import type { Tail } from '../ledger';
import { dayOf } from '../hours';
import type { DialogueChunk } from './dialogue-chunk';
import { UNKNOWN } from './dialogue-patterns';
import { NO_PLMN } from './signaling-counts';
import { partCodes, partKey } from './signaling-parts';

const DAY_MILLISECONDS = 86_400_000;
const QUARTER_MILLISECONDS = 900_000;
const STRICT = '1';
const PLAIN = '0';

/** All that is stored of a dialogue. */
export interface StoredDialogue {
  readonly clientId: number;
  readonly simId: string;
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly protocol: number;
  readonly procedure: number;
  readonly origin: number;
  readonly outcome: number;
  readonly resultCode: number | null;
  readonly plmn: number | null;
  readonly nodeId: number | null;
  readonly cancellationType: number | null;
  readonly formatViolation: boolean;
}

function storedDialogue(chunk: DialogueChunk, row: number, nodeIds: Int32Array): StoredDialogue {
  const known = (value: number): number | null => (value === UNKNOWN ? null : value);
  const { patterns } = chunk;
  const pattern = chunk.pattern[row]!;
  return {
    clientId: chunk.clientId[row]!,
    simId: ((BigInt(chunk.simIdHigh[row]!) << 32n) | BigInt(chunk.simIdLow[row]! >>> 0)).toString(),
    startedAt: chunk.startedAt[row]!,
    durationMs: known(chunk.durationMs[row]!),
    protocol: patterns.protocol[pattern]!,
    procedure: patterns.procedure[pattern]!,
    origin: patterns.origin[pattern]!,
    outcome: patterns.outcome[pattern]!,
    resultCode: known(patterns.resultCode[pattern]!),
    plmn: known(patterns.plmn[pattern]!),
    nodeId: known(nodeIds[patterns.node[pattern]!]!),
    cancellationType: patterns.cancellationType[pattern] === 0 ? null : patterns.cancellationType[pattern]!,
    formatViolation: patterns.formatViolation[pattern] === 1,
  };
}

/** In the ledger's form: the content hash only tells whether an identity was kept. */
export function acceptedTail(chunk: DialogueChunk, row: number, nodeIds: Int32Array, strict: boolean): NonNullable<Tail['record']> {
  return {
    day: dayOf(chunk.startedAt[row]!),
    id: JSON.stringify(storedDialogue(chunk, row, nodeIds)),
    contentHash: strict ? STRICT : PLAIN,
  };
}

export function wasStrict(record: NonNullable<Tail['record']>): boolean {
  return record.contentHash === STRICT;
}

/** Deletes it (one of those that are equal to it), and what it added to the counts. */
export async function takeBackDialogue(tx: Transaction, record: NonNullable<Tail['record']>, now: Date): Promise<StoredDialogue> {
  const dialogue = JSON.parse(record.id) as StoredDialogue;
  const { clientId, simId, startedAt, durationMs, protocol, procedure, origin, outcome, resultCode, plmn, nodeId } = dialogue;
  // Within one leaf a row's place names it.
  const deleted = await tx.query(
    `DELETE FROM dialogue WHERE client_id = $1 AND day = $2::date AND ctid IN (
       SELECT ctid FROM dialogue WHERE client_id = $1 AND day = $2::date AND sim_id = $3 AND started_at = $4 AND duration_ms IS NOT DISTINCT FROM $5::int4
          AND protocol = $6 AND procedure = $7 AND origin = $8 AND outcome = $9 AND result_code IS NOT DISTINCT FROM $10::int4
          AND plmn IS NOT DISTINCT FROM $11::int4 AND node_id IS NOT DISTINCT FROM $12::int4 AND cancellation_type IS NOT DISTINCT FROM $13::int2
          AND format_violation = $14 LIMIT 1)
     RETURNING 1 AS deleted`,
    [
      clientId,
      record.day,
      simId,
      new Date(startedAt),
      durationMs,
      protocol,
      procedure,
      origin,
      outcome,
      resultCode,
      plmn,
      nodeId,
      dialogue.cancellationType,
      dialogue.formatViolation,
    ],
  );
  if (deleted.length === 0) return dialogue;
  const quarter = Math.floor((startedAt % DAY_MILLISECONDS) / QUARTER_MILLISECONDS);
  await tx.query(
    `INSERT INTO signaling_part (client_id, day, keys, plmns, dialogues) VALUES ($1, $2, ARRAY[$3::int4], ARRAY[$4::int4], ARRAY[-1])`,
    [clientId, record.day, partKey(quarter, partCodes(procedure, origin, outcome, protocol)), plmn ?? NO_PLMN],
  );
  await tx.query(
    'UPDATE signaling_day SET dialogues = dialogues - 1, changes = changes + 1, last_received_at = $3 WHERE client_id = $1 AND day = $2::date',
    [clientId, record.day, now],
  );
  return dialogue;
}
