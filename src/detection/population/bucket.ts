/** One bucket of a run: reads a client's next SIMs, scores them with no transaction open, and commits what was found with its checkpoint. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import type { Day } from '../days';
import { readFeatureRows, type FeatureRows } from '../features/feature-store';
import { replaceAnomalies } from './anomaly-store';
import { DRIFT_COUNTS, resumeAt, writeCheckpoints, type BucketPlace } from './checkpoints';
import type { LoadedGeneration } from './generation-store';
import type { PlannedDetector } from './plan';
import type { BucketScores } from './score-job';
import { ScoreThread } from './score-thread';
import { clustersOf, writeClusters, type AssignedClusters } from './sim-clusters';

/** SIMs in memory at once. */
export const BUCKET_SIMS = 10_000;
const NO_CLUSTER = -1;

export interface ScoringRun {
  readonly runId: string;
  readonly plan: readonly PlannedDetector[];
  readonly generation: LoadedGeneration;
  /** False for a back-test, which leaves nothing behind but its counts. */
  readonly stores: boolean;
  /** Whether SIMs are remembered by their clusters: where it judges by the newest generation, whose clusters people are shown. */
  readonly assigns: boolean;
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

interface ScoredBucket {
  readonly rows: FeatureRows;
  readonly assigned: AssignedClusters;
  readonly scored: BucketScores;
}

interface StoredPlace extends BucketPlace {
  /** The last SIM of the bucket before. */
  readonly after: string;
}

@singleton()
export class BucketScorer {
  constructor(
    private readonly database: Database,
    private readonly thread: ScoreThread,
  ) {}

  /** Frees what scoring holds; the next bucket takes it anew. */
  stop(): Promise<void> {
    return this.thread.stop();
  }

  /** Scores what is left of a client's day; `onBucket` is told the rows of each. */
  async scoreClient(run: ScoringRun, clientId: number, day: Day, onBucket: (rows: number) => Promise<void>): Promise<void> {
    let place: { readonly after: string; readonly bucket: number } | null = await this.read(clientId, (tx) =>
      resumeAt(tx, clientId, run.runId, day),
    );
    if (place === null) return;
    const majorOf = run.plan.some(({ scope }) => scope === 'MAJOR_CLUSTER')
      ? await this.majorClusters(run, clientId, day)
      : new Map<string, number>();
    const majorIn = (country: string) => majorOf.get(country) ?? NO_CLUSTER;
    const limit = run.bucketSims ?? BUCKET_SIMS;
    const read = (after: string) => this.readBucket(run, clientId, day, after, limit);
    let next = ahead(read(place.after));
    let stored = Promise.resolve();
    try {
      while (place !== null) {
        if (run.isStopping()) throw new RunInterrupted();
        const { after, bucket }: { readonly after: string; readonly bucket: number } = place;
        const { rows, assigned } = await next;
        const isLast = rows.simIds.length < limit;
        const throughSim: string = rows.simIds.at(-1) ?? after;
        if (!isLast) next = ahead(read(throughSim));
        const { countries, blockedByUs, values } = rows;
        const asked = { clientId, day, rows: { countries, blockedByUs, values }, clusters: assigned.clusters, majorOf: majorIn };
        const scored = await this.thread.score({ plan: run.plan, generation: run.generation, asked, explains: run.stores });
        // one at a time and in their order: a checkpoint says that everything before it is done
        await stored;
        const at = { clientId, runId: run.runId, day, bucket, throughSim, isLast };
        stored = ahead(this.store(run, { ...at, after }, { rows, assigned, scored }).then(() => onBucket(rows.simIds.length)));
        place = isLast ? null : { after: throughSim, bucket: bucket + 1 };
      }
      await stored;
    } finally {
      await stored.catch(() => undefined);
    }
  }

  private store(run: ScoringRun, at: StoredPlace, { rows, assigned, scored }: ScoredBucket): Promise<void> {
    const { clientId, day } = at;
    return this.database.transaction({ name: 'population.score', role: 'ingest', clientId }, async (tx) => {
      await run.mustHold(tx);
      if (run.assigns) await writeClusters(tx, { clientId, day, generation: run.generation.generation }, rows, assigned);
      if (run.stores) {
        for (const { detectorId, flagged } of scored.detectors) {
          if (flagged) await replaceAnomalies(tx, { ...at, detectorId }, rows, assigned.clusters, flagged);
        }
      }
      await writeCheckpoints(tx, at, [
        ...scored.detectors.map(({ checkpoint }) => checkpoint),
        { detectorId: DRIFT_COUNTS, rows: rows.simIds.length, abstained: 0, flagged: 0, failure: null, cells: scored.drift },
      ]);
    });
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
  private async majorClusters(run: ScoringRun, clientId: number, day: Day): Promise<ReadonlyMap<string, number>> {
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
    return new Map(
      [...counts].map(([country, clusters]) => [country, [...clusters].sort(([a, most], [b, other]) => other - most || a - b)[0]![0]]),
    );
  }

  private read<T>(clientId: number, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction({ name: 'population.read', role: 'ingest', clientId, readOnly: true }, work);
  }
}

/** Done while other buckets are scored. What goes wrong is thrown when its turn comes, if it comes. */
function ahead<T>(reading: Promise<T>): Promise<T> {
  reading.catch(() => undefined);
  return reading;
}
