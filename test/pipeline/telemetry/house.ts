/** A database with two customers' SIMs and the ingest door, as app.ts wires it; the clock stands still. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Database } from '../../../src/database/database';
import { Config } from '../../../src/config';
import { SettingChangeListener, SimRegistry } from '../../../src/fleet';
import { Role, type Caller } from '../../../src/graphql/caller';
import { ManualClock, SystemEntropy, type Clock, type Entropy } from '../../../src/runtime';
import {
  ChunkStore,
  Ingest,
  partQuarters,
  QuarantineRequeuer,
  SimImport,
  type IngestAnswer,
  type IngestRequest,
} from '../../../src/telemetry';
import { DialogueIngest } from '../../../src/telemetry/dialogues/dialogue-ingest';
import { DialogueLoader } from '../../../src/telemetry/dialogues/dialogue-loader';
import { DialogueRequeuer } from '../../../src/telemetry/dialogues/dialogue-requeuer';
import { DialogueStore } from '../../../src/telemetry/dialogues/dialogue-store';
import { ImsiOwners } from '../../../src/telemetry/dialogues/imsi-owners';
import { NodeNames } from '../../../src/telemetry/dialogues/node-names';
import { StrictCells } from '../../../src/telemetry/dialogues/strict-cells';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';

export const NOW = new Date('2026-11-20T12:00:00Z');

export function callerOf(role: Role, clientId: number, credentialId: string): Caller {
  return {
    role,
    clientId,
    credentialId,
    credentialKind: 'API_KEY',
    name: credentialId,
    person: credentialId,
    expiresAt: null,
    fleetIds: null,
  };
}

export const operator = callerOf(Role.OPERATOR, 0, 'operator-key');

/** Settings don't matter to ingest. */
class NobodyListens extends SettingChangeListener {
  async settingsChanged(): Promise<void> {}
}

export interface House {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly ingest: Ingest;
  readonly requeuer: QuarantineRequeuer;
  readonly test: TestDatabase;
  close(): Promise<void>;
}

export async function openHouse(chunkRows = 0): Promise<House> {
  const test = await openTestDatabase();
  const { database } = test;
  const clock = new ManualClock(NOW);
  const entropy = new SystemEntropy();
  const dialogues = dialogueParts(database, clock, entropy, chunkRows);
  const requeuer = new QuarantineRequeuer(database, dialogues.requeuer, clock, entropy, testLog);
  const registry = new SimRegistry(database, clock, entropy, requeuer, new NobodyListens());
  const sims = new SimImport(database, registry, clock, entropy);
  const ingest = new Ingest(new ChunkStore(database, clock, entropy), dialogues.ingest, sims, clock, new Config({ chunkRows }));
  return { database, clock, ingest, requeuer, test, close: () => test.close() };
}

/** What takes dialogues, put together as the container does. */
export function dialogueParts(
  database: Database,
  clock: Clock,
  entropy: Entropy,
  chunkRows = 0,
): { readonly ingest: DialogueIngest; readonly requeuer: DialogueRequeuer } {
  const owners = new ImsiOwners();
  const loader = new DialogueLoader(database, new NodeNames(database, testLog), new StrictCells(database, entropy));
  const store = new DialogueStore(database, owners, loader, clock, entropy);
  const ingest = new DialogueIngest(store, clock, database, entropy, new Config({ chunkRows }));
  return { ingest, requeuer: new DialogueRequeuer(database, ingest, owners, loader, clock, entropy) };
}

export function pieces(body: string | Buffer, size = 1 << 16): AsyncIterable<Buffer> {
  const bytes = Buffer.from(body);
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => i * size);
  return Readable.from(starts.map((start) => bytes.subarray(start, start + size)));
}

export function send(
  house: House,
  kind: IngestRequest['kind'],
  body: string | Buffer,
  more: Partial<IngestRequest> = {},
): Promise<IngestAnswer> {
  return house.ingest.ingestStream({ caller: operator, kind, format: 'csv', gzip: false, source: 'hub', body: pieces(body), ...more });
}

/** A valid 19-digit ICCID: SIM n. */
export function iccidOf(n: number): string {
  return `8934${String(n).padStart(15, '0')}`;
}

export async function registerSims(house: House, client: string, fleet: string, from: number, count: number): Promise<number> {
  const rows = Array.from({ length: count }, (_, i) => `${iccidOf(from + i)},${client},${fleet},meter\n`);
  const answer = await send(house, 'sims', `iccid,client,fleet,family\n${rows.join('')}`);
  if (answer.rejected > 0 || answer.stoppedBy) throw new Error(JSON.stringify(answer));
  return house.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    const [row] = await tx.query<{ client_id: number }>('SELECT client_id FROM client WHERE name = $1', [client]);
    return row!.client_id;
  });
}

const STATE: Readonly<Record<string, string>> = {
  usage: `SELECT client_id, source, day, record_id, content_hash, sim_id, fleet_id, started_at, ended_at, uplink_bytes, downlink_bytes, plmn, rat, imei, apn,
                 destination FROM usage_record ORDER BY 1, 2, 3, 4`,
  connections: `SELECT client_id, source, day, event_id, content_hash, sim_id, type, occurred_at, imei, plmn, rat, session_id, uplink_bytes, downlink_bytes
                  FROM connection_event ORDER BY 1, 2, 3, 4`,
  devices:
    'SELECT client_id, source, day, event_id, content_hash, sim_id, type, occurred_at, count, detail FROM device_event ORDER BY 1, 2, 3, 4',
  simHours: 'SELECT * FROM usage_sim_hour ORDER BY 1, 2, 3',
  simDays: 'SELECT * FROM usage_sim_day ORDER BY 1, 2, 3',
  fleetHours: 'SELECT * FROM usage_fleet_hour ORDER BY 1, 2, 3',
  clientHours: 'SELECT * FROM usage_client_hour ORDER BY 1, 2',
  dialogues: 'SELECT * FROM dialogue ORDER BY client_id, sim_id, started_at, duration_ms, result_code, node_id',
  quarterHours: `SELECT client_id, quarter, plmn, procedure, origin, outcome, protocol, sum(dialogues) AS dialogues
                   FROM (SELECT * FROM signaling_quarter_hour UNION ALL
                         SELECT client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues
                           FROM (${partQuarters('signaling_part')}) AS part) counted
                  GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(dialogues) <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7`,
  signalingDays: 'SELECT client_id, day, dialogues FROM signaling_day ORDER BY 1, 2',
  presence: 'SELECT * FROM sim_presence ORDER BY 1, 2',
  quarantine: 'SELECT client_id, source, kind, record_hash, code, message, record, iccid, state FROM quarantine ORDER BY 1, 2, 3, 4, 5',
  watermarks: 'SELECT client_id, source, kind, watermark FROM source_watermark ORDER BY 1, 2, 3',
};

/** Everything that ingest left behind, wall-clock columns apart. */
export async function stateOf(house: House): Promise<Record<string, unknown[]>> {
  return house.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    const state: Record<string, unknown[]> = {};
    for (const [name, sql] of Object.entries(STATE)) state[name] = await tx.query(sql);
    return state;
  });
}

export async function digestOf(house: House): Promise<string> {
  return createHash('sha256')
    .update(JSON.stringify(await stateOf(house)))
    .digest('hex');
}

/** Empties what ingest wrote, so that another order of arrival can be tried on the same SIMs. */
export async function forgetTelemetry(house: House): Promise<void> {
  await house.database.transaction({ name: 'test', role: 'ingest' }, async (tx) => {
    for (const table of [
      'usage_record',
      'connection_event',
      'device_event',
      'usage_sim_hour',
      'usage_sim_day',
      'usage_fleet_hour',
      'usage_client_hour',
      'sim_presence',
      'quarantine',
      'source_watermark',
      'evaluation_queue',
      'dialogue',
      'signaling_part',
      'signaling_quarter_hour',
      'signaling_day',
      'dialogue_cell',
      'dialogue_segment',
    ])
      await tx.query(`DELETE FROM ${table}`);
    await tx.query(`DELETE FROM ingest_chunk WHERE kind <> 'sims'`);
  });
}

export async function count(house: House, sql: string, parameters: unknown[] = []): Promise<number> {
  return house.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    const [row] = await tx.query<{ n: number }>(`SELECT count(*)::int4 AS n FROM ${sql}`, parameters);
    return row!.n;
  });
}

/** Usage of `sims` SIMs over the hours before NOW, deterministic: record n always says the same. */
export function usageLine(n: number, sims: number, firstSim = 1): string {
  const started = NOW.getTime() - 3_600_000 * (2 + (n % 60)) - (n % 17) * 97_000;
  const ended = started + 60_000 * (1 + ((n * 7) % 200));
  const sim = firstSim + (n % sims);
  return (
    `r${n},${iccidOf(sim)},${new Date(started).toISOString()},${Math.min(ended, NOW.getTime())},${n * 13},${n * 1001},` +
    `${n % 3 === 0 ? '214-07' : '310410'},${n % 2 === 0 ? '4G' : 'LTE-M'},${n % 5 === 0 ? '' : '356938035643809'},iot,${n % 4 === 0 ? 'Example.COM' : ''}\n`
  );
}
export const USAGE_HEADER = 'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes,plmn,rat,imei,apn,destination\n';

export function usageFile(from: number, to: number, sims: number): string {
  let file = USAGE_HEADER;
  for (let n = from; n < to; n++) file += usageLine(n, sims);
  return file;
}
