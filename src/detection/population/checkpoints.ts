/** Checkpoints: what a run has done of a client, bucket by bucket. What a killed run had committed is never done again. */
import type { Transaction } from '../../database/database';
import type { Day } from '../days';
import type { Cell } from './scoring';

/** What one detector made of one bucket; or the drift counts of the bucket, under a name that no detector can have. */
export interface Checkpoint {
  readonly detectorId: string;
  readonly rows: number;
  readonly abstained: number;
  readonly flagged: number;
  /** What went wrong; the detector then says nothing of the day. */
  readonly failure: string | null;
  readonly cells: readonly Cell[] | readonly number[];
}

export const DRIFT_COUNTS = ' drift';
const DECIDED = ' decided';

export interface BucketPlace {
  readonly clientId: number;
  readonly runId: string;
  readonly day: Day;
  readonly bucket: number;
  readonly throughSim: string;
  readonly isLast: boolean;
}

export async function writeCheckpoints(tx: Transaction, place: BucketPlace, checkpoints: readonly Checkpoint[]): Promise<void> {
  for (const { detectorId, rows, abstained, flagged, failure, cells } of checkpoints) {
    await tx.query(
      `INSERT INTO population_checkpoint
         (client_id, run_id, day, detector_id, bucket, through_sim, is_last, rows, abstained, flagged, failure, cells)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb)`,
      [
        place.clientId,
        place.runId,
        place.day,
        detectorId,
        place.bucket,
        place.throughSim,
        place.isLast,
        rows,
        abstained,
        flagged,
        failure,
        JSON.stringify(cells),
      ],
    );
  }
}

/** Where a run goes on with a client's day: after which SIM, in which bucket; null: the day is done. */
export async function resumeAt(
  tx: Transaction,
  clientId: number,
  runId: string,
  day: Day,
): Promise<{ after: string; bucket: number } | null> {
  const [last] = await tx.query<{ bucket: number; through_sim: string; is_last: boolean }>(
    `SELECT bucket, through_sim, is_last FROM population_checkpoint WHERE client_id = $1 AND run_id = $2 AND day = $3
      AND detector_id = $4 ORDER BY bucket DESC LIMIT 1`,
    [clientId, runId, day, DRIFT_COUNTS],
  );
  if (!last) return { after: '0', bucket: 0 };
  return last.is_last ? null : { after: last.through_sim, bucket: last.bucket + 1 };
}

export interface ClientTally {
  readonly rows: number;
  readonly abstained: number;
  readonly flagged: number;
  readonly failure: string | null;
  readonly cells: readonly Cell[];
}

/** What a run counted of a client's day, by detector. */
export async function readTallies(tx: Transaction, clientId: number, runId: string, day: Day): Promise<Map<string, ClientTally>> {
  const rows = await tx.query<{
    detector_id: string;
    rows: number;
    abstained: number;
    flagged: number;
    failure: string | null;
    cells: Cell[];
  }>(
    `SELECT detector_id, rows, abstained, flagged, failure, cells FROM population_checkpoint
      WHERE client_id = $1 AND run_id = $2 AND day = $3 AND left(detector_id, 1) <> ' ' ORDER BY detector_id, bucket`,
    [clientId, runId, day],
  );
  const tallies = new Map<string, ClientTally>();
  for (const row of rows) {
    const before = tallies.get(row.detector_id);
    tallies.set(row.detector_id, {
      rows: (before?.rows ?? 0) + row.rows,
      abstained: (before?.abstained ?? 0) + row.abstained,
      flagged: (before?.flagged ?? 0) + row.flagged,
      failure: before?.failure ?? row.failure,
      cells: merged([...(before?.cells ?? []), ...row.cells]),
    });
  }
  return tallies;
}

function merged(cells: readonly Cell[]): Cell[] {
  const byKey = new Map<string, Cell>();
  for (const { country, cluster, devices, flagged } of cells) {
    const key = `${country} ${cluster}`;
    const cell = byKey.get(key) ?? { country, cluster, devices: 0, flagged: 0 };
    cell.devices += devices;
    cell.flagged += flagged;
    byKey.set(key, cell);
  }
  return [...byKey.values()];
}

/** Adds the drift counts of a client's day to `counts`. */
export async function addDriftCounts(tx: Transaction, clientId: number, runId: string, day: Day, counts: Float64Array): Promise<void> {
  const rows = await tx.query<{ cells: number[] }>(
    'SELECT cells FROM population_checkpoint WHERE client_id = $1 AND run_id = $2 AND day = $3 AND detector_id = $4',
    [clientId, runId, day, DRIFT_COUNTS],
  );
  for (const { cells } of rows) cells.forEach((count, cell) => (counts[cell]! += count));
}

/** What was kept of a finished run's work on a client. */
export async function deleteCheckpoints(tx: Transaction, clientId: number, runId: string): Promise<void> {
  await tx.query('DELETE FROM population_checkpoint WHERE client_id = $1 AND run_id = $2', [clientId, runId]);
}

/** Marks that the decision on a client's day was committed. */
export function markDecided(tx: Transaction, clientId: number, runId: string, day: Day): Promise<void> {
  const nothing: Checkpoint = { detectorId: DECIDED, rows: 0, abstained: 0, flagged: 0, failure: null, cells: [] };
  return writeCheckpoints(tx, { clientId, runId, day, bucket: 0, throughSim: '0', isLast: true }, [nothing]);
}

export async function isDecided(tx: Transaction, clientId: number, runId: string, day: Day): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM population_checkpoint WHERE client_id = $1 AND run_id = $2 AND day = $3 AND detector_id = $4 AND bucket = 0',
    [clientId, runId, day, DECIDED],
  );
  return rows.length > 0;
}
