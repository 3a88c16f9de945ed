/** Detection with a database of its own and nothing to its right: telemetry seeded by SQL, verdicts kept in a ledger that follows commits. */
import { container as root, type DependencyContainer } from 'tsyringe';
import type { Transaction } from '../../../src/database/database';
import { Database } from '../../../src/database/database';
import { DayCloser } from '../../../src/detection/close/day-closer';
import { DayPass } from '../../../src/detection/close/day-pass';
import { ClientTurns } from '../../../src/detection/evaluation/client-turns';
import { Evaluator } from '../../../src/detection/evaluation/evaluator';
import { EvaluationRequests } from '../../../src/detection/evaluation/requests';
import { EvaluationWorker } from '../../../src/detection/evaluation/worker';
import { DetectorRegistry } from '../../../src/detection/host/registry';
import { FiringHistory, VerdictCommit } from '../../../src/detection/verdicts';
import type { Detector } from '../../../src/detector';
import { Clock, Entropy, Log, ManualClock, SystemEntropy } from '../../../src/runtime';
import { LedgerHistory, VerdictLedger } from './verdict-ledger';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';

export interface UsageSeed {
  readonly sim: string;
  /** `2026-11-02T10:00` (UTC). */
  readonly at: string;
  readonly bytes: number;
  readonly imei?: string;
  readonly plmn?: string;
  readonly destination?: string;
}

export interface EventSeed {
  readonly sim: string;
  readonly at: string;
  readonly type: string;
  readonly imei?: string;
  readonly plmn?: string;
  readonly count?: number;
}

/** One client's world, told in a few words. */
export class DetectionWorld {
  readonly clock = new ManualClock(new Date('2026-11-01T00:00:00Z'));
  readonly ledger = new VerdictLedger();
  readonly container: DependencyContainer;
  private records = 0;

  private constructor(
    private readonly opened: TestDatabase,
    detectors: readonly Detector[],
    ledger?: VerdictLedger,
  ) {
    if (ledger) this.ledger = ledger;
    this.container = root.createChildContainer();
    this.container.register(Database as never, { useValue: opened.database });
    this.container.register(Clock as never, { useValue: this.clock });
    this.container.register(Entropy as never, { useValue: new SystemEntropy() });
    this.container.register(Log as never, { useValue: testLog });
    this.container.register(VerdictCommit as never, { useValue: this.ledger });
    this.container.register(FiringHistory as never, { useValue: new LedgerHistory(this.ledger) });
    // A world of its own: singletons of the root container would be shared with the file's other worlds.
    for (const part of [DetectorRegistry, ClientTurns, Evaluator, EvaluationWorker, DayPass, DayCloser, EvaluationRequests]) {
      this.container.registerSingleton(part as never);
    }
    for (const detector of detectors) this.container.resolve(DetectorRegistry).register(detector);
  }

  static async open(detectors: readonly Detector[]): Promise<DetectionWorld> {
    return new DetectionWorld(await openTestDatabase(), detectors);
  }

  /** Another process on the same database. */
  static beside(world: DetectionWorld, detectors: readonly Detector[]): DetectionWorld {
    const other = new DetectionWorld(world.opened, detectors, world.ledger);
    other.clock.set(world.clock.now());
    return other;
  }

  /** Only the seeding, on a database that something else works on. */
  static on(database: Database): DetectionWorld {
    return new DetectionWorld({ database, url: null, close: () => Promise.resolve() }, []);
  }

  get database(): Database {
    return this.opened.database;
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  worker(): EvaluationWorker {
    return this.container.resolve(EvaluationWorker);
  }

  closer(): DayCloser {
    return this.container.resolve(DayCloser);
  }

  requests(): EvaluationRequests {
    return this.container.resolve(EvaluationRequests);
  }

  /** Everything that is due, until nothing is. */
  async settle(): Promise<void> {
    await this.worker().drain();
    await this.closer().drain();
    await this.worker().drain();
  }

  write<T>(work: (tx: Transaction) => Promise<T>, clientId?: number): Promise<T> {
    return this.database.transaction({ name: 'test.seed', role: 'ingest', clientId }, work);
  }

  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.write((tx) => tx.query<Row>(sql, parameters));
  }

  async client(name: string, billingCycleDay = 1): Promise<number> {
    const [row] = await this.query<{ client_id: number }>(
      `INSERT INTO client (name, billing_cycle_day, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING client_id`,
      [name, billingCycleDay, new Date(0)],
    );
    return row!.client_id;
  }

  async fleet(clientId: number, name: string): Promise<string> {
    const id = new SystemEntropy().uuid();
    await this.query('INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)', [
      clientId,
      id,
      name,
      new Date(0),
    ]);
    return id;
  }

  /** SIMs of one family, registered at the epoch unless said otherwise; answers their ids. */
  async sims(
    clientId: number,
    count: number,
    { family = 'meter', fleet = null as string | null, registeredAt = new Date(0) } = {},
  ): Promise<string[]> {
    return this.write(async (tx) => {
      const rows = await tx.query<{ sim_id: string }>(
        `INSERT INTO sim (client_id, sim_id, iccid, fleet_id, created_at, updated_at)
         SELECT $1, nextval('sim_id'), '89' || gen_random_uuid(), $3, $4, $4 FROM generate_series(1, $2) RETURNING sim_id`,
        [clientId, count, fleet, registeredAt],
      );
      const ids = rows.map((row) => row.sim_id).sort((a, b) => Number(a) - Number(b));
      await tx.query(
        `INSERT INTO device (client_id, device_id, sim_id, family, created_at, updated_at)
         SELECT $1, gen_random_uuid(), sim, $3, $4, $4 FROM unnest($2::int8[]) AS sims (sim)`,
        [clientId, ids, family, registeredAt],
      );
      return ids;
    });
  }

  /** One batch of usage records with their roll-ups, watermark and evaluation work, as ingest would leave them. */
  async usage(clientId: number, seeds: readonly UsageSeed[], source = 'feed'): Promise<void> {
    const rows = seeds.map((seed) => ({ ...seed, day: seed.at.slice(0, 10), started: new Date(`${seed.at}:00Z`) }));
    await this.database.ensurePartitions('usage_record', [...new Set(rows.map((row) => row.day))]);
    await this.write(async (tx) => {
      for (const row of rows) {
        const fleet = '(SELECT fleet_id FROM sim WHERE client_id = $1 AND sim_id = $2)';
        await tx.query(
          `INSERT INTO usage_record (client_id, source, day, record_id, content_hash, sim_id, fleet_id, started_at, ended_at, uplink_bytes, downlink_bytes,
             plmn, imei, destination, received_at) VALUES ($1, $3, $4, $5, 0, $2, ${fleet}, $6, $6, $7, 0, $8, $9, $10, $11)`,
          [
            clientId,
            row.sim,
            source,
            row.day,
            `r${++this.records}`,
            row.started,
            row.bytes,
            row.plmn ?? null,
            row.imei ?? null,
            row.destination ?? null,
            this.clock.now(),
          ],
        );
        await tx.query(
          `INSERT INTO usage_sim_day AS kept (client_id, day, sim_id, fleet_id, latest_at, uplink_bytes, downlink_bytes, total_bytes)
           VALUES ($1, $3, $2, ${fleet}, $4, $5, 0, $5)
           ON CONFLICT (client_id, day, sim_id) DO UPDATE SET uplink_bytes = kept.uplink_bytes + EXCLUDED.uplink_bytes, total_bytes = kept.total_bytes + EXCLUDED.total_bytes`,
          [clientId, row.sim, row.day, row.started, row.bytes],
        );
        const hour = new Date(Math.floor(row.started.getTime() / 3_600_000) * 3_600_000);
        await tx.query(
          `INSERT INTO usage_client_hour AS kept (client_id, hour, uplink_bytes, downlink_bytes) VALUES ($1, $2, $3, 0)
           ON CONFLICT (client_id, hour) DO UPDATE SET uplink_bytes = kept.uplink_bytes + EXCLUDED.uplink_bytes`,
          [clientId, hour, row.bytes],
        );
        await tx.query(
          `INSERT INTO usage_fleet_hour AS kept (client_id, fleet_id, hour, uplink_bytes, downlink_bytes)
           SELECT client_id, fleet_id, $3, $4, 0 FROM sim WHERE client_id = $1 AND sim_id = $2 AND fleet_id IS NOT NULL
           ON CONFLICT (client_id, fleet_id, hour) DO UPDATE SET uplink_bytes = kept.uplink_bytes + EXCLUDED.uplink_bytes`,
          [clientId, row.sim, hour, row.bytes],
        );
      }
      await this.arrived(
        tx,
        clientId,
        source,
        'usage',
        rows.map((row) => ({ sim: row.sim, day: row.day, at: row.started })),
      );
    }, clientId);
  }

  async connectionEvents(clientId: number, seeds: readonly EventSeed[], source = 'feed'): Promise<void> {
    const rows = seeds.map((seed) => ({ ...seed, day: seed.at.slice(0, 10), at: new Date(`${seed.at}:00Z`) }));
    await this.database.ensurePartitions('connection_event', [...new Set(rows.map((row) => row.day))]);
    await this.write(async (tx) => {
      for (const row of rows) {
        await tx.query(
          `INSERT INTO connection_event (client_id, source, day, event_id, content_hash, sim_id, type, occurred_at, imei, plmn, received_at)
           VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10)`,
          [
            clientId,
            source,
            row.day,
            `e${++this.records}`,
            row.sim,
            row.type,
            row.at,
            row.imei ?? null,
            row.plmn ?? null,
            this.clock.now(),
          ],
        );
      }
      await this.arrived(tx, clientId, source, 'connection-events', rows);
    }, clientId);
  }

  async deviceEvents(clientId: number, seeds: readonly EventSeed[], source = 'feed'): Promise<void> {
    const rows = seeds.map((seed) => ({ ...seed, day: seed.at.slice(0, 10), at: new Date(`${seed.at}:00Z`) }));
    await this.database.ensurePartitions('device_event', [...new Set(rows.map((row) => row.day))]);
    await this.write(async (tx) => {
      for (const row of rows) {
        await tx.query(
          `INSERT INTO device_event (client_id, source, day, event_id, content_hash, sim_id, type, occurred_at, count, received_at)
           VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9)`,
          [clientId, source, row.day, `d${++this.records}`, row.sim, row.type, row.at, row.count ?? 1, this.clock.now()],
        );
      }
      await this.arrived(tx, clientId, source, 'device-events', rows);
    }, clientId);
  }

  /** The source has reached this moment: `2026-11-03T06:00` (UTC). */
  async watermark(clientId: number, at: string, source = 'feed', kind = 'usage'): Promise<void> {
    await this.write((tx) => this.advance(tx, clientId, source, kind, new Date(`${at}:00Z`)));
  }

  private async arrived(
    tx: Transaction,
    clientId: number,
    source: string,
    kind: string,
    rows: readonly { sim: string; day: string; at: Date }[],
  ): Promise<void> {
    for (const day of [...new Set(rows.map((row) => row.day))]) {
      const simIds = [...new Set(rows.filter((row) => row.day === day).map((row) => row.sim))];
      await tx.query(
        'INSERT INTO evaluation_queue (client_id, queue_id, day, sim_ids, reason, enqueued_at) VALUES ($1, gen_random_uuid(), $2, $3::int8[], $4, $5)',
        [clientId, day, simIds, 'INGEST', this.clock.now()],
      );
    }
    await this.advance(tx, clientId, source, kind, new Date(Math.max(...rows.map((row) => row.at.getTime()))));
  }

  private advance(tx: Transaction, clientId: number, source: string, kind: string, at: Date): Promise<unknown> {
    return tx.query(
      `INSERT INTO source_watermark AS kept (client_id, source, kind, watermark, last_received_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (client_id, source, kind) DO UPDATE SET watermark = GREATEST(kept.watermark, EXCLUDED.watermark), last_received_at = EXCLUDED.last_received_at`,
      [clientId, source, kind, at, this.clock.now()],
    );
  }

  async closedDays(clientId: number): Promise<{ day: string; incomplete: boolean }[]> {
    return this.query(
      'SELECT day, incomplete FROM day_close WHERE client_id = $1 AND NOT dirty AND evaluated_at IS NOT NULL ORDER BY day',
      [clientId],
    );
  }
}

export { tinyDetector } from './tiny-detector';
