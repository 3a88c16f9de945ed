/** A town in a database: feature rows by day, and the population runs over them, with nothing to the right but a ledger of verdicts. */
import { Config } from '../../../src/config';
import type { Database } from '../../../src/database/database';
import { FEATURE_COUNT } from '../../../src/detector';
import type { Detector } from '../../../src/detector';
import { BucketScorer } from '../../../src/detection/population/bucket';
import { DayDecision } from '../../../src/detection/population/day-decision';
import { FitThread } from '../../../src/detection/population/fit-thread';
import { PopulationFit } from '../../../src/detection/population/fit-service';
import { GenerationStore } from '../../../src/detection/population/generation-store';
import { PopulationRetention } from '../../../src/detection/population/population-retention';
import { PopulationRun } from '../../../src/detection/population/population-run';
import { PopulationScheduler } from '../../../src/detection/population/scheduler';
import { ScoreThread } from '../../../src/detection/population/score-thread';
import { DetectionWorld } from '../detection/support';
import { farFromMedian, featureRows, type Fleet } from './feature-town';

export class PopulationWorld {
  private constructor(readonly detection: DetectionWorld) {
    const { container } = detection;
    container.register(Config as never, { useValue: new Config() });
    for (const part of [
      GenerationStore,
      FitThread,
      PopulationFit,
      ScoreThread,
      BucketScorer,
      DayDecision,
      PopulationRetention,
      PopulationRun,
      PopulationScheduler,
    ])
      container.registerSingleton(part as never);
  }

  static async open(detectors: readonly Detector[] = [farFromMedian]): Promise<PopulationWorld> {
    return new PopulationWorld(await DetectionWorld.open(detectors));
  }

  /** Another process on the same database. */
  static beside(world: PopulationWorld, detectors: readonly Detector[] = [farFromMedian]): PopulationWorld {
    return new PopulationWorld(DetectionWorld.beside(world.detection, detectors));
  }

  get scheduler(): PopulationScheduler {
    return this.detection.container.resolve(PopulationScheduler);
  }

  part<T>(token: new (...parts: never[]) => T): T {
    return this.detection.container.resolve(token as never);
  }

  close(): Promise<void> {
    return this.detection.close();
  }
}

/** Registers a client's devices; answers their SIM ids in the order of the fleets. */
export async function settleClient(detection: DetectionWorld, name: string, fleets: readonly Fleet[]): Promise<Settled> {
  const clientId = await detection.client(name);
  const devices = fleets.reduce((sum, fleet) => sum + fleet.devices, 0);
  return { clientId, simIds: await detection.sims(clientId, devices) };
}

export interface Settled {
  readonly clientId: number;
  readonly simIds: readonly string[];
}

/** Stores a client's features of November's given day, as the daily feature pass would. */
export async function storeFeatures(
  database: Database,
  { clientId, simIds }: Settled,
  fleets: readonly Fleet[],
  dayOfMonth: number,
): Promise<void> {
  const day = `2026-11-${String(dayOfMonth).padStart(2, '0')}`;
  await database.ensurePartitions('sim_feature_day', [day]);
  const rows = featureRows(fleets, dayOfMonth, clientId * 10_000);
  const bytes = Buffer.from(rows.values.buffer);
  await database.transaction({ name: 'test.features', role: 'ingest', clientId }, async (tx) => {
    await tx.query('DELETE FROM sim_feature_day WHERE client_id = $1 AND day = $2', [clientId, day]);
    await tx.query(
      `INSERT INTO sim_feature_day (client_id, day, sim_id, country, dialogues, blocked_by_us, feature_values, computed_at)
       SELECT $1, $2, sim_id, country, 10, blocked, decode(features, 'hex'), $3
         FROM unnest($4::int8[], $5::text[], $6::bool[], $7::text[]) AS town (sim_id, country, blocked, features)`,
      [
        clientId,
        day,
        new Date(0),
        simIds,
        rows.countries,
        Array.from(rows.blockedByUs, (blocked) => blocked === 1),
        rows.simIds.map((_, row) => bytes.subarray(row * FEATURE_COUNT * 4, (row + 1) * FEATURE_COUNT * 4).toString('hex')),
      ],
    );
    await tx.query(
      `INSERT INTO feature_day (client_id, day, changes, sims, dialogues, computed_at) VALUES ($1, $2, 1, $3, 10, $4)
       ON CONFLICT (client_id, day) DO NOTHING`,
      [clientId, day, simIds.length, new Date(0)],
    );
  });
}
