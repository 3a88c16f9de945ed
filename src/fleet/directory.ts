/** Who owns an identifier, and since when: the one table that is unique across clients, so a late record goes to the owner of its time. */
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';

/** ICCID values are keys of `normaliseIccid`; IMSI values are digits; an API_KEY value is the hex SHA-256 of the key. */
export type DirectoryKind = 'ICCID' | 'IMSI' | 'CLIENT_NAME';

/**
 * `value` belongs to the client and SIM in [validFrom, validTo). The first owner's interval begins at the epoch: a record from before the
 * registration goes to the first owner, since the inventory is often loaded after the traffic began.
 */
export interface DirectoryEntry {
  readonly value: string;
  readonly clientId: number;
  /** int8 as text; null for CLIENT_NAME. */
  readonly simId: string | null;
  readonly validFrom: Date;
  /** null: the present owner. */
  readonly validTo: Date | null;
}

export interface Claim {
  readonly value: string;
  readonly clientId: number;
  readonly simId: string | null;
}

/** Start of a first owner's interval. */
export const SINCE_EVER = new Date(0);

/** All intervals of these values, oldest first. Needs the operator or the ingest role: customers don't see the directory. */
export async function lookup(tx: Transaction, kind: 'ICCID' | 'IMSI', values: readonly string[]): Promise<DirectoryEntry[]> {
  return readEntries(tx, kind, values);
}

/** The client of each of these names, as it is now. */
export async function lookupClientNames(tx: Transaction, names: readonly string[]): Promise<Map<string, number>> {
  const entries = await readEntries(tx, 'CLIENT_NAME', names);
  return new Map(entries.filter((entry) => entry.validTo === null).map((entry) => [entry.value, entry.clientId]));
}

async function readEntries(tx: Transaction, kind: DirectoryKind, values: readonly string[]): Promise<DirectoryEntry[]> {
  if (values.length === 0) return [];
  const rows = await tx.query<{ value: string; client_id: number; sim_id: string | null; valid_from: Date; valid_to: Date | null }>(
    `SELECT value, client_id, sim_id, valid_from, valid_to FROM directory
      WHERE kind = $1 AND value = ANY($2::text[]) ORDER BY value, valid_from`,
    [kind, [...new Set(values)]],
  );
  return rows.map((row) => ({
    value: row.value,
    clientId: row.client_id,
    simId: row.sim_id,
    validFrom: row.valid_from,
    validTo: row.valid_to,
  }));
}

/**
 * Whose `value` was at that time: the owner of the interval that holds it, or the first owner where the time lies before all. null: nobody's,
 * because it is unknown or was given up before and not yet taken.
 */
export function ownerAt(entries: readonly DirectoryEntry[], value: string, at: Date): DirectoryEntry | null {
  let first: DirectoryEntry | null = null;
  for (const entry of entries) {
    if (entry.value !== value) continue;
    if (entry.validFrom <= at && (entry.validTo === null || at < entry.validTo)) return entry;
    if (first === null || entry.validFrom < first.validFrom) first = entry;
  }
  return first !== null && at < first.validFrom ? first : null;
}

/** Rises whenever an IMSI changes hands: owners that were read at one version hold for as long as it stands. New IMSIs don't raise it. */
export async function imsiVersion(tx: Transaction): Promise<string> {
  const [row] = await tx.query<{ version: string }>(`SELECT version FROM directory_version WHERE kind = 'IMSI'`);
  return row!.version;
}

async function raiseVersion(tx: Transaction, kinds: Iterable<DirectoryKind>): Promise<void> {
  if (new Set(kinds).has('IMSI')) await tx.query(`UPDATE directory_version SET version = version + 1 WHERE kind = 'IMSI'`);
}

/**
 * Claims values that nobody holds: from the epoch where nobody ever did, else from `now`. Answers the claims that won; a claim that another
 * transaction made first is waited for, and lost.
 */
export async function claim(tx: Transaction, kind: DirectoryKind, claims: readonly Claim[], now: Date): Promise<Claim[]> {
  if (claims.length === 0) return [];
  const sorted = [...claims].sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  const known = new Set(
    (
      await readEntries(
        tx,
        kind,
        sorted.map((wanted) => wanted.value),
      )
    ).map((entry) => entry.value),
  );
  const rows = await tx.query<{ value: string; client_id: number; sim_id: string | null }>(
    `INSERT INTO directory (kind, value, valid_from, client_id, sim_id)
     SELECT $1::text, value, valid_from, client_id, sim_id
       FROM unnest($2::text[], $3::timestamptz[], $4::int4[], $5::int8[]) AS claims (value, valid_from, client_id, sim_id)
     ON CONFLICT DO NOTHING
     RETURNING value, client_id, sim_id`,
    [
      kind,
      sorted.map((wanted) => wanted.value),
      sorted.map((wanted) => (known.has(wanted.value) ? now : SINCE_EVER)),
      sorted.map((wanted) => wanted.clientId),
      sorted.map((wanted) => wanted.simId),
    ],
  );
  return rows.map((row) => ({ value: row.value, clientId: row.client_id, simId: row.sim_id }));
}

/** Ends the present owner's interval; answers the values that were really theirs. */
export async function release(tx: Transaction, kind: DirectoryKind, claims: readonly Claim[], at: Date): Promise<string[]> {
  if (claims.length === 0) return [];
  await raiseVersion(tx, [kind]);
  const rows = await tx.query<{ value: string }>(
    `UPDATE directory SET valid_to = $1
       FROM unnest($3::text[], $4::int4[], $5::int8[]) AS held (value, client_id, sim_id)
      WHERE directory.kind = $2 AND directory.value = held.value AND directory.valid_to IS NULL
        AND directory.client_id = held.client_id AND directory.sim_id IS NOT DISTINCT FROM held.sim_id
      RETURNING directory.value`,
    [at, kind, claims.map((held) => held.value), claims.map((held) => held.clientId), claims.map((held) => held.simId)],
  );
  return rows.map((row) => row.value);
}

/** Turns identifiers over to another SIM from `at` on. Throws BAD_USER_INPUT where `at` isn't after the beginning of the present interval. */
export async function reassign(
  tx: Transaction,
  from: { readonly clientId: number; readonly simId: string },
  to: { readonly clientId: number; readonly simId: string },
  identifiers: readonly { readonly kind: 'ICCID' | 'IMSI'; readonly value: string }[],
  at: Date,
): Promise<void> {
  await raiseVersion(
    tx,
    identifiers.map(({ kind }) => kind),
  );
  for (const { kind, value } of identifiers) {
    const ended = await tx.query(
      `UPDATE directory SET valid_to = $5
        WHERE kind = $1 AND value = $2 AND client_id = $3 AND sim_id = $4 AND valid_to IS NULL AND valid_from < $5 RETURNING value`,
      [kind, value, from.clientId, from.simId, at],
    );
    if (ended.length === 0) {
      throw new SimwardenError(
        'BAD_USER_INPUT',
        { what: `at ${at.toISOString()} is not after the moment since which the SIM is its client's.` },
        ['at'],
      );
    }
    await tx.query(`INSERT INTO directory (kind, value, valid_from, client_id, sim_id) VALUES ($1, $2, $3, $4, $5) RETURNING value`, [
      kind,
      value,
      at,
      to.clientId,
      to.simId,
    ]);
  }
}
