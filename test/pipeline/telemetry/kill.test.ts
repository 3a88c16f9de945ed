/** A process that dies after any commit of a batch: sending the batch again completes it, and nothing is counted twice. */
import { Config } from '../../../src/config';
import type { Database, Transaction, TransactionOptions } from '../../../src/database/database';
import { SettingChangeListener, SimRegistry } from '../../../src/fleet';
import { SystemEntropy } from '../../../src/runtime';
import { ChunkStore, Ingest, SimImport } from '../../../src/telemetry';
import {
  count,
  dialogueParts,
  digestOf,
  forgetTelemetry,
  iccidOf,
  NOW,
  openHouse,
  registerSims,
  send,
  stateOf,
  usageFile,
  type House,
} from './house';

let house: House;

beforeAll(async () => {
  house = await openHouse(100);
  await registerSims(house, 'Acme', 'meters', 1, 10);
  await registerSims(house, 'Globex', 'pumps', 11, 10);
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

class Killed extends Error {}

/** The real database, until the process "dies" right after the given number of chunk commits. */
function dyingAfter(database: Database, commits: number): Database {
  let left = commits;
  return new Proxy(database, {
    get(target, property) {
      if (property === 'transaction') {
        return async <T>(options: TransactionOptions, work: (tx: Transaction) => Promise<T>): Promise<T> => {
          if (left === 0) throw new Killed();
          const result = await target.transaction(options, work);
          if (options.name === 'ingest.chunk' || options.name === 'ingest.dialogues') left -= 1;
          return result;
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

class NobodyListens extends SettingChangeListener {
  settingsChanged(): Promise<void> {
    return Promise.resolve();
  }
}

function ingestOver(database: Database): Ingest {
  const entropy = new SystemEntropy();
  const sims = new SimImport(
    database,
    new SimRegistry(database, house.clock, entropy, house.requeuer, new NobodyListens()),
    house.clock,
    entropy,
  );
  return new Ingest(
    new ChunkStore(database, house.clock, entropy),
    dialogueParts(database, house.clock, entropy, 100).ingest,
    sims,
    house.clock,
    new Config({ chunkRows: 100 }),
  );
}

test('a batch that died after any commit is completed by sending it again', async () => {
  const body = usageFile(0, 250, 25);
  const whole = await send(house, 'usage', body, { batchKey: 'k' });
  const expected = await digestOf(house);
  // 3 chunks of 2 clients and the operator's own part: 9 commits.
  for (let commits = 0; commits <= 9; commits++) {
    await forgetTelemetry(house);
    const dying = { ...house, ingest: ingestOver(dyingAfter(house.database, commits)) };
    const answer = await send(dying, 'usage', body, { batchKey: 'k' });
    if (commits < 9) expect(answer.stoppedBy).toBeInstanceOf(Killed);
    expect(await send(house, 'usage', body, { batchKey: 'k' })).toEqual(whole);
    expect(await digestOf(house)).toBe(expected);
  }
});

test('usage belongs to the owner and the fleet of its time', async () => {
  const at = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
  const moved = iccidOf(500);
  await registerSims(house, 'Acme', 'meters', 500, 1);
  await house.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    const [fleet] = await tx.query<{ fleet_id: string; client_id: number; sim_id: string }>(
      `SELECT sim.client_id, sim.sim_id, fleet.fleet_id FROM sim JOIN fleet ON fleet.client_id = sim.client_id WHERE sim.iccid = $1`,
      [moved],
    );
    await tx.query(`INSERT INTO sim_fleet (client_id, sim_id, valid_from, fleet_id) VALUES ($1, $2, $3, NULL)`, [
      fleet!.client_id,
      fleet!.sim_id,
      at(10),
    ]);
    await tx.query(`UPDATE directory SET valid_to = $2 WHERE kind = 'ICCID' AND value = $1`, [moved, at(5)]);
  });
  const row = (id: string, hours: number): string => `${id},${moved},${at(hours)},${at(hours)},100,0\n`;
  const answer = await send(
    house,
    'usage',
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${row('in-fleet', 20)}${row('without-fleet', 8)}${row('given-up', 2)}`,
  );
  expect(answer).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 4, code: 'UNKNOWN_SIM' }] });
  const { usage } = await stateOf(house);
  expect(usage).toMatchObject([
    { record_id: 'in-fleet', fleet_id: expect.any(String) as unknown },
    { record_id: 'without-fleet', fleet_id: null },
  ]);
  expect(await count(house, 'usage_fleet_hour')).toBe(1);
});
