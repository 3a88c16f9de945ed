/** Stores records of one client in one transaction, with everything that is kept beside them: roll-ups, presence, what is to be evaluated. */
import type { Transaction } from '../database/database';
import type { Entropy } from '../runtime';
import { plainArray, textArray } from './array-literal';
import { enqueueEvaluation } from './evaluation-queue';
import { dayOf } from './hours';
import { Presences } from './presence';
import type { RecordKind, StoredColumn, TelemetryRecord, UsageValues } from './record-kind';
import { UsageRollUps } from './roll-ups';

export interface OwnedRecord {
  readonly simId: string;
  readonly record: TelemetryRecord;
}

export interface StoreScope {
  readonly clientId: number;
  readonly source: string;
  readonly now: Date;
  readonly entropy: Entropy;
  readonly reason: 'INGEST' | 'REQUEUE';
}

/** INSERTED: new. DUPLICATE: stored before with equal content. CONFLICT: stored before with other content, which stays. */
export type StoreOutcome = 'INSERTED' | 'DUPLICATE' | 'CONFLICT';

interface Candidate extends OwnedRecord {
  readonly index: number;
  readonly day: string;
  readonly identity: string;
}

/** What became of each record, in the order given. Its day's partition must exist. */
export async function storeRecords(
  tx: Transaction,
  scope: StoreScope,
  kind: RecordKind,
  records: readonly OwnedRecord[],
): Promise<StoreOutcome[]> {
  const outcomes: StoreOutcome[] = new Array<StoreOutcome>(records.length).fill('INSERTED');
  const candidates = firstOfEachIdentity(records, outcomes);
  if (candidates.length === 0) return outcomes;
  const fleets = kind.name === 'usage' ? await fleetsOf(tx, scope.clientId, candidates) : null;
  const fleetAt = (candidate: Candidate): string | null =>
    fleets ? fleetOf(fleets.get(candidate.simId), candidate.record.startedAt) : null;
  const inserted = await insert(tx, scope, kind, candidates, fleetAt);
  if (inserted.size < candidates.length) {
    await classify(
      tx,
      scope,
      kind,
      candidates.filter((candidate) => !inserted.has(candidate.identity)),
      outcomes,
    );
  }
  await keepBeside(
    tx,
    scope,
    kind,
    candidates.filter((candidate) => inserted.has(candidate.identity)),
    fleetAt,
  );
  return outcomes;
}

/** Sorted by key, so that parallel chunks wait for each other instead of deadlocking; later ones of an identity are judged against its first. */
function firstOfEachIdentity(records: readonly OwnedRecord[], outcomes: StoreOutcome[]): Candidate[] {
  const first = new Map<string, Candidate>();
  records.forEach(({ simId, record }, index) => {
    const day = dayOf(record.startedAt);
    const identity = `${day} ${record.id}`;
    const known = first.get(identity);
    if (!known) first.set(identity, { index, day, identity, simId, record });
    else outcomes[index] = known.record.contentHash === record.contentHash ? 'DUPLICATE' : 'CONFLICT';
  });
  return [...first.values()].sort((a, b) => (a.identity < b.identity ? -1 : 1));
}

function sqlArray(column: StoredColumn<unknown>, candidates: readonly Candidate[]): string {
  const values = candidates.map((candidate) => column.of(candidate.record.values));
  if (column.type === 'text') return textArray(values as (string | null)[]);
  if (column.type === 'timestamptz')
    return plainArray(values.map((value) => (value === null ? null : new Date(value as number).toISOString())));
  return plainArray(values);
}

/** Answers the identities that were new; PostgreSQL's own row count is not to be trusted on a distributed table. */
async function insert(
  tx: Transaction,
  scope: StoreScope,
  kind: RecordKind,
  candidates: readonly Candidate[],
  fleetAt: (candidate: Candidate) => string | null,
): Promise<Set<string>> {
  const columns = [
    { name: 'day', type: 'date', values: plainArray(candidates.map((candidate) => candidate.day)) },
    { name: kind.idColumn, type: 'text', values: textArray(candidates.map((candidate) => candidate.record.id)) },
    { name: 'content_hash', type: 'int8', values: plainArray(candidates.map((candidate) => candidate.record.contentHash)) },
    { name: 'sim_id', type: 'int8', values: plainArray(candidates.map((candidate) => candidate.simId)) },
    ...(kind.name === 'usage' ? [{ name: 'fleet_id', type: 'uuid', values: plainArray(candidates.map(fleetAt)) }] : []),
    ...kind.stored.map((column) => ({ name: column.name, type: column.type, values: sqlArray(column, candidates) })),
  ];
  const names = columns.map((column) => column.name).join(', ');
  const rows = await tx.query<{ day: string; id: string }>(
    `INSERT INTO ${kind.table} (client_id, source, ${names}, received_at)
     SELECT $1::int4, $2::text, ${names}, $3::timestamptz
       FROM unnest(${columns.map((column, i) => `$${i + 4}::${column.type}[]`).join(', ')}) AS given (${names})
     ON CONFLICT (client_id, source, day, ${kind.idColumn}) DO NOTHING
     RETURNING day, ${kind.idColumn} AS id`,
    [scope.clientId, scope.source, scope.now, ...columns.map((column) => column.values)],
  );
  return new Set(rows.map((row) => `${row.day} ${row.id}`));
}

/** Whether the records that were there before are equal. */
async function classify(
  tx: Transaction,
  scope: StoreScope,
  kind: RecordKind,
  candidates: readonly Candidate[],
  outcomes: StoreOutcome[],
): Promise<void> {
  const rows = await tx.query<{ day: string; id: string; content_hash: string }>(
    `SELECT kept.day, kept.${kind.idColumn} AS id, kept.content_hash
       FROM unnest($3::date[], $4::text[]) AS given (day, id)
       JOIN ${kind.table} kept ON kept.client_id = $1 AND kept.source = $2 AND kept.day = given.day AND kept.${kind.idColumn} = given.id
      WHERE kept.client_id = $1 AND kept.day = ANY($5::date[])`,
    [
      scope.clientId,
      scope.source,
      plainArray(candidates.map((candidate) => candidate.day)),
      textArray(candidates.map((candidate) => candidate.record.id)),
      plainArray([...new Set(candidates.map((candidate) => candidate.day))]),
    ],
  );
  const kept = new Map(rows.map((row) => [`${row.day} ${row.id}`, row.content_hash]));
  for (const { index, identity, record } of candidates)
    outcomes[index] = kept.get(identity) === record.contentHash ? 'DUPLICATE' : 'CONFLICT';
}

interface FleetSince {
  readonly since: number;
  readonly fleetId: string | null;
}

/** Where each SIM was over time, oldest first. */
async function fleetsOf(tx: Transaction, clientId: number, candidates: readonly Candidate[]): Promise<Map<string, FleetSince[]>> {
  const rows = await tx.query<{ sim_id: string; valid_from: Date; fleet_id: string | null }>(
    `SELECT sim_id, valid_from, fleet_id FROM sim_fleet WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ORDER BY sim_id, valid_from`,
    [clientId, plainArray([...new Set(candidates.map((candidate) => candidate.simId))])],
  );
  const fleets = new Map<string, FleetSince[]>();
  for (const row of rows) {
    const history = fleets.get(row.sim_id);
    const step = { since: row.valid_from.getTime(), fleetId: row.fleet_id };
    if (history) history.push(step);
    else fleets.set(row.sim_id, [step]);
  }
  return fleets;
}

/** The fleet at that time; a record from before the first fleet belongs to the first. */
function fleetOf(history: readonly FleetSince[] | undefined, at: number): string | null {
  return (history?.findLast((step) => step.since <= at) ?? history?.[0])?.fleetId ?? null;
}

async function keepBeside(
  tx: Transaction,
  scope: StoreScope,
  kind: RecordKind,
  inserted: readonly Candidate[],
  fleetAt: (candidate: Candidate) => string | null,
): Promise<void> {
  if (inserted.length === 0) return;
  const presences = new Presences();
  const rollUps = new UsageRollUps();
  const touched = new Map<string, Set<string>>();
  for (const candidate of inserted) {
    const { record, simId, day } = candidate;
    presences.add(kind, simId, record);
    if (kind.name === 'usage') rollUps.add(contributionOf(record.values as UsageValues, simId, fleetAt(candidate)));
    else touched.set(day, (touched.get(day) ?? new Set()).add(simId));
  }
  for (const [day, simIds] of rollUps.touched()) touched.set(day, new Set(simIds));
  await presences.write(tx, scope.clientId);
  await oweEvaluation(tx, scope, touched);
  await rollUps.write(tx, scope.clientId);
}

function contributionOf(values: UsageValues, simId: string, fleetId: string | null): Parameters<UsageRollUps['add']>[0] {
  return {
    simId,
    fleetId,
    startedAt: values.started_at,
    endedAt: values.ended_at,
    uplinkBytes: values.uplink_bytes,
    downlinkBytes: values.downlink_bytes,
  };
}

/** Closed days that records came for are opened again. */
async function oweEvaluation(tx: Transaction, scope: StoreScope, touched: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  const { clientId, entropy, reason, now } = scope;
  for (const [day, simIds] of [...touched].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await enqueueEvaluation(tx, entropy, { clientId, day, simIds: [...simIds], reason, now });
  }
  await tx.query('UPDATE day_close SET dirty = true WHERE client_id = $1 AND day = ANY($2::date[]) AND NOT dirty', [
    clientId,
    plainArray([...touched.keys()]),
  ]);
}

/** Takes back a record that came from a row which turned out to be cut: only as it was stored then, and with what it added to the roll-ups. */
export async function takeBackRecord(
  tx: Transaction,
  scope: StoreScope,
  kind: RecordKind,
  record: { readonly day: string; readonly id: string; readonly contentHash: string },
): Promise<void> {
  const usage = kind.name === 'usage';
  const [row] = await tx.query<{
    sim_id: string;
    fleet_id: string | null;
    started_at: Date;
    ended_at: Date;
    uplink_bytes: string;
    downlink_bytes: string;
  }>(
    `DELETE FROM ${kind.table} WHERE client_id = $1 AND source = $2 AND day = $3 AND ${kind.idColumn} = $4 AND content_hash = $5
     RETURNING ${usage ? 'sim_id, fleet_id, started_at, ended_at, uplink_bytes, downlink_bytes' : 'sim_id'}`,
    [scope.clientId, scope.source, record.day, record.id, record.contentHash],
  );
  if (!row) return;
  if (!usage) return oweEvaluation(tx, scope, new Map([[record.day, new Set([row.sim_id])]]));
  const rollUps = new UsageRollUps();
  rollUps.add(
    {
      simId: row.sim_id,
      fleetId: row.fleet_id,
      startedAt: row.started_at.getTime(),
      endedAt: row.ended_at.getTime(),
      uplinkBytes: BigInt(row.uplink_bytes),
      downlinkBytes: BigInt(row.downlink_bytes),
    },
    -1n,
  );
  await oweEvaluation(tx, scope, new Map([...rollUps.touched()].map(([day, simIds]) => [day, new Set(simIds)])));
  await rollUps.write(tx, scope.clientId);
}
