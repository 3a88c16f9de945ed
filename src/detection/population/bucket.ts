/** One bucket of a run: reads a client's next SIMs, scores them with no transaction open, and commits what was found with its checkpoint. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { plainArray, textArray } from '../../telemetry/array-literal';
import type { Day } from '../days';
import { readFeatureRows, type FeatureRows } from '../features/feature-store';
import { DRIFT_COUNTS, resumeAt, writeCheckpoints, type Checkpoint } from './checkpoints';
import { countBins, DRIFT_WIDTH } from './drift';
import type { LoadedGeneration } from './generation-store';
import type { PlannedDetector } from './plan';
import { countCells, scoreRows, type RowsToScore, type ScoredRows } from './scoring';
import { clustersOf, writeClusters, type AssignedClusters } from './sim-clusters';

/** SIMs in memory at once. */
export const BUCKET_SIMS = 10_000;

export interface ScoringRun {
  readonly runId: string;
  readonly plan: readonly PlannedDetector[];
  readonly generation: LoadedGeneration;
  /** False for a back-test, which leaves nothing behind but its counts. */
  readonly stores: boolean;
  /** Called in every transaction that writes: throws where another process has the run. */
  readonly mustHold: (tx: Transaction) => Promise<void>;
  readonly isStopping: () => boolean;
  readonly bucketSims?: number;
}

/** A process was asked to stop: what is committed stays, the rest is done by whoever goes on. */
export class RunInterrupted extends Error {
  constructor() {
    super('the run was interrupted; it goes on where it stopped');
    this.name = 'RunInterrupted';
  }
}

@singleton()
export class BucketScorer {
  constructor(private readonly database: Database) {}

  /** Scores what is left of a client's day; `onBucket` is told the rows of each. */
  async scoreClient(run: ScoringRun, clientId: number, day: Day, onBucket: (rows: number) => Promise<void>): Promise<void> {
    let place: { readonly after: string; readonly bucket: number } | null = await this.read(clientId, (tx) =>
      resumeAt(tx, clientId, run.runId, day),
    );
    if (place === null) return;
    const majorOf = run.plan.some(({ scope }) => scope === 'MAJOR_CLUSTER') ? await this.majorClusters(run, clientId, day) : () => -1;
    const limit = run.bucketSims ?? BUCKET_SIMS;
    const read = (after: string) => this.readBucket(run, clientId, day, after, limit);
    let next = ahead(read(place.after));
    while (place !== null) {
      if (run.isStopping()) throw new RunInterrupted();
      const { after, bucket }: { readonly after: string; readonly bucket: number } = place;
      const { rows, assigned } = await next;
      const isLast = rows.simIds.length < limit;
      const throughSim: string = rows.simIds.at(-1) ?? after;
      if (!isLast) next = ahead(read(throughSim));
      const scored = await this.score(run, { clientId, day, rows, clusters: assigned.clusters, majorOf });
      const at = { clientId, runId: run.runId, day, bucket, throughSim, isLast };
      await this.database.transaction({ name: 'population.score', role: 'ingest', clientId }, async (tx) => {
        await run.mustHold(tx);
        if (run.stores) {
          await writeClusters(tx, { clientId, day, generation: run.generation.generation }, rows, assigned);
          for (const { detectorId, scores } of scored) {
            if (scores) await replaceAnomalies(tx, { ...at, after, detectorId }, rows, assigned.clusters, scores);
          }
        }
        await writeCheckpoints(tx, at, [
          ...scored.map(({ checkpoint }) => checkpoint),
          { detectorId: DRIFT_COUNTS, rows: rows.simIds.length, abstained: 0, flagged: 0, failure: null, cells: driftOf(run, rows) },
        ]);
      });
      await onBucket(rows.simIds.length);
      place = isLast ? null : { after: throughSim, bucket: bucket + 1 };
    }
  }

  private async score(
    run: ScoringRun,
    asked: RowsToScore,
  ): Promise<{ detectorId: string; scores: ScoredRows | null; checkpoint: Checkpoint }[]> {
    const results: { detectorId: string; scores: ScoredRows | null; checkpoint: Checkpoint }[] = [];
    for (const planned of run.plan) {
      const detectorId = planned.detector.meta.id;
      const rows = asked.rows.simIds.length;
      try {
        const scores = await scoreRows(planned, asked, run.generation.modelOf(detectorId), run.stores);
        const judged = scores.judged.reduce((sum, each) => sum + each, 0);
        const flagged = scores.flagged.reduce((sum, each) => sum + each, 0);
        const checkpoint = { detectorId, rows, abstained: rows - judged, flagged, failure: null, cells: countCells(asked, scores) };
        results.push({ detectorId, scores, checkpoint });
      } catch (error) {
        const failure = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1000);
        results.push({ detectorId, scores: null, checkpoint: { detectorId, rows, abstained: rows, flagged: 0, failure, cells: [] } });
      }
      await new Promise((next) => setImmediate(next));
    }
    return results;
  }

  private readBucket(
    { generation }: ScoringRun,
    clientId: number,
    day: Day,
    after: string,
    limit: number,
  ): Promise<{ rows: FeatureRows; assigned: AssignedClusters }> {
    return this.read(clientId, async (tx) => {
      const rows = await readFeatureRows(tx, { clientId, day, after, limit });
      return {
        rows,
        assigned: await clustersOf(tx, { clientId, day, generation: generation.generation, model: generation.clusters }, rows),
      };
    });
  }

  /** Per country the cluster of most of the client's devices; the lowest of equals. */
  private async majorClusters(run: ScoringRun, clientId: number, day: Day): Promise<(country: string) => number> {
    const counts = new Map<string, Map<number, number>>();
    const limit = run.bucketSims ?? BUCKET_SIMS;
    for (let after: string | null = '0'; after !== null;) {
      const { rows, assigned }: { rows: FeatureRows; assigned: AssignedClusters } = await this.readBucket(run, clientId, day, after, limit);
      rows.countries.forEach((country, row) => {
        const ofCountry = counts.get(country) ?? new Map<number, number>();
        counts.set(country, ofCountry.set(assigned.clusters[row]!, (ofCountry.get(assigned.clusters[row]!) ?? 0) + 1));
      });
      after = rows.simIds.length < limit ? null : rows.simIds.at(-1)!;
    }
    const major = new Map(
      [...counts].map(([country, clusters]) => [country, [...clusters].sort(([a, most], [b, other]) => other - most || a - b)[0]![0]]),
    );
    return (country) => major.get(country)!;
  }

  private read<T>(clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'population.read', role: 'ingest', clientId, readOnly: true }, work);
  }
}

/** Read while the bucket before is scored and stored. What goes wrong is thrown when its turn comes, if it comes. */
function ahead<T>(reading: Promise<T>): Promise<T> {
  reading.catch(() => undefined);
  return reading;
}

function driftOf({ generation }: ScoringRun, { values }: FeatureRows): number[] {
  const counts = new Float64Array(DRIFT_WIDTH);
  countBins(generation.drift, values, counts);
  return Array.from(counts);
}

/** What an earlier run found in this stretch of SIMs goes; what this one found comes. */
async function replaceAnomalies(
  tx: Transaction,
  at: { clientId: number; day: Day; detectorId: string; after: string; throughSim: string; isLast: boolean },
  rows: FeatureRows,
  clusters: Int32Array,
  scored: ScoredRows,
): Promise<void> {
  const { clientId, day, detectorId, after, throughSim, isLast } = at;
  await tx.query(
    `DELETE FROM device_anomaly WHERE client_id = $1 AND day = $2 AND detector_id = $3 AND sim_id > $4 AND ($6 OR sim_id <= $5)`,
    [clientId, day, detectorId, after, throughSim, isLast],
  );
  const flagged = [...scored.flagged.keys()].filter((row) => scored.flagged[row] === 1);
  if (flagged.length === 0) return;
  await tx.query(
    `INSERT INTO device_anomaly (client_id, day, detector_id, sim_id, country, cluster, score, raw_score, evidence)
     SELECT $1::int4, $2::date, $3::text, sim_id, country, cluster, score, raw_score, evidence::jsonb
       FROM unnest($4::int8[], $5::text[], $6::int4[], $7::float8[], $8::float8[], $9::text[])
         AS found (sim_id, country, cluster, score, raw_score, evidence)
     RETURNING sim_id`,
    [
      clientId,
      day,
      detectorId,
      plainArray(flagged.map((row) => rows.simIds[row]!)),
      plainArray(flagged.map((row) => rows.countries[row]!)),
      plainArray(flagged.map((row) => clusters[row]!)),
      plainArray(flagged.map((row) => scored.scores[row]!)),
      plainArray(flagged.map((row) => scored.rawScores[row]!)),
      textArray(flagged.map((row) => JSON.stringify(scored.evidence.get(row) ?? []))),
    ],
  );
}
