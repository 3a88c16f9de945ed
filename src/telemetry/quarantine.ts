/** Quarantine: rows that could not be stored, with the reason, kept 30 days. The same bad row sent again is one row here. */
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/database';
import type { Entropy } from '../runtime';
import { plainArray, textArray } from './array-literal';
import { dayOf } from './hours';
import { textsOf, type RowError } from './parsing/column';
import type { Row } from './parsing/rows';
import type { RecordKind, TelemetryRecord } from './record-kind';

export interface Quarantined {
  /** With source, kind and code what makes the same bad row one row; decimal int8. */
  readonly hash: string;
  readonly line: number;
  readonly error: RowError;
  readonly given: Readonly<Record<string, string>>;
  /** The ICCID's key, where the row is held until its SIM is registered. */
  readonly iccid: string | null;
  /** The same for rows that name their SIM by IMSI. */
  readonly imsi?: string | null;
}

export interface QuarantineScope {
  readonly clientId: number;
  readonly source: string;
  readonly kind: string;
  /** The batch as its sender named it. */
  readonly batch: string;
  readonly now: Date;
  readonly entropy: Entropy;
}

export async function quarantine(tx: Transaction, scope: QuarantineScope, rows: readonly Quarantined[]): Promise<void> {
  if (rows.length === 0) return;
  const sorted = [...rows].sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.error.code < b.error.code ? -1 : 1));
  await tx.query(
    `INSERT INTO quarantine (client_id, quarantine_id, source, kind, record_hash, code, message, batch_key, line, record, iccid, imsi, received_at)
     SELECT $1::int4, id, $2::text, $3::text, hash, code, message, $4::text, line, record, iccid, imsi, $5::timestamptz
       FROM unnest($6::uuid[], $7::int8[], $8::text[], $9::text[], $10::int8[], $11::jsonb[], $12::text[], $13::text[])
              AS bad (id, hash, code, message, line, record, iccid, imsi)
     ON CONFLICT (client_id, source, kind, record_hash, code) DO NOTHING
     RETURNING 1 AS written`,
    [
      scope.clientId,
      scope.source,
      scope.kind,
      scope.batch,
      scope.now,
      plainArray(sorted.map(() => scope.entropy.uuid())),
      plainArray(sorted.map((row) => row.hash)),
      textArray(sorted.map((row) => row.error.code)),
      textArray(sorted.map((row) => row.error.message)),
      plainArray(sorted.map((row) => row.line)),
      textArray(sorted.map((row) => JSON.stringify(row.given))),
      textArray(sorted.map((row) => row.iccid)),
      textArray(sorted.map((row) => row.imsi ?? null)),
    ],
  );
}

/** Takes back the row of a body that turned out to be cut there. */
export async function takeBackQuarantined(
  tx: Transaction,
  scope: Pick<QuarantineScope, 'clientId' | 'source' | 'kind' | 'batch'>,
  row: { readonly hash: string; readonly code: string; readonly line: number },
): Promise<void> {
  await tx.query(
    `DELETE FROM quarantine WHERE client_id = $1 AND source = $2 AND kind = $3 AND record_hash = $4 AND code = $5 AND batch_key = $6 AND line = $7`,
    [scope.clientId, scope.source, scope.kind, row.hash, row.code, scope.batch, row.line],
  );
}

/** A row that could not be read. */
export function unreadable(row: Pick<Row<unknown>, 'bytes' | 'line' | 'given'>, error: RowError): Quarantined {
  return { hash: int8Hash(row.bytes), line: row.line, error, given: row.given, iccid: null };
}

/** A valid record that could not be stored. */
export function unstorable(kind: RecordKind, line: number, record: TelemetryRecord, error: RowError): Quarantined {
  return {
    hash: int8Hash(`${dayOf(record.startedAt)}\n${record.id}\n${record.contentHash}`),
    line,
    error,
    given: textsOf(kind.columns, record.values as object),
    iccid: error.code === 'UNKNOWN_SIM' ? record.iccid : null,
  };
}

/** The first 8 bytes of a SHA-256 as decimal int8. */
export function int8Hash(content: Buffer | string): string {
  return createHash('sha256').update(content).digest().readBigInt64BE(0).toString();
}
