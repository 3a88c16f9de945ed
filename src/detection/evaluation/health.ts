/** Whether a detector works for a client: counted over its evaluations, off after three failures in a row, with an alert to the operator. */
import type { Transaction } from '../../database/database';
import { endOfDay, startOfDay, type Day } from '../days';
import type { Finding, Judged, Verdicts } from '../verdicts';
import type { RunSummary } from './verdict-collector';

const FAILURES_UNTIL_OFF = 3;
const OPERATOR = 0;
const FAILED_KIND = 'DETECTOR_FAILED';

interface HealthRow {
  detector_id: string;
  detector_version: string;
  consecutive_failures: number;
  off_since: Date | null;
  failed_day: Day | null;
  error: string | null;
}

export class DetectorHealth {
  constructor(private readonly row: HealthRow) {}

  get consecutiveFailures(): number {
    return this.row.consecutive_failures;
  }

  get offSince(): Date | null {
    return this.row.off_since;
  }

  get failedDay(): Day | null {
    return this.row.failed_day;
  }

  get error(): string | null {
    return this.row.error;
  }

  /** Off until another version is loaded, or somebody configures the detector for this client (or for all) again. */
  isOff(version: string, lastConfigured: Date | null): boolean {
    const { off_since: offSince, detector_version: failedVersion } = this.row;
    return offSince !== null && failedVersion === version && !(lastConfigured !== null && lastConfigured > offSince);
  }
}

/** By detector; one that never failed has no row. */
export async function readHealth(tx: Transaction, clientId: number): Promise<Map<string, DetectorHealth>> {
  const rows = await tx.query<HealthRow>(
    'SELECT detector_id, detector_version, consecutive_failures, off_since, failed_day, error FROM detector_health WHERE client_id = $1',
    [clientId],
  );
  return new Map(rows.map((row) => [row.detector_id, new DetectorHealth(row)]));
}

/**
 * Counts this evaluation's failures and successes. Answers what the operator is to be told: a detector that was switched off now, or that works
 * again (its alert, which belongs to the window of the day it failed on, clears). null: nothing.
 */
export async function recordHealth(
  tx: Transaction,
  clientId: number,
  day: Day,
  runs: readonly RunSummary[],
  now: Date,
): Promise<Verdicts | null> {
  const before = await readHealth(tx, clientId);
  const findings: Finding[] = [];
  const judged: Judged[] = [];
  for (const run of runs) {
    const known = before.get(run.detector.meta.id);
    if (run.failure === null && !known) continue;
    const failures = run.failure === null ? 0 : (known?.consecutiveFailures ?? 0) + 1;
    const isOff = failures >= FAILURES_UNTIL_OFF;
    const failedDay = isOff ? (known?.failedDay ?? day) : null;
    await tx.query(
      `INSERT INTO detector_health (client_id, detector_id, detector_version, consecutive_failures, off_since, failed_day, error, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (client_id, detector_id) DO UPDATE SET detector_version = EXCLUDED.detector_version,
         consecutive_failures = EXCLUDED.consecutive_failures, off_since = EXCLUDED.off_since, failed_day = EXCLUDED.failed_day,
         error = EXCLUDED.error, updated_at = EXCLUDED.updated_at`,
      [clientId, run.detector.meta.id, run.detector.meta.version, failures, isOff ? now : null, failedDay, run.failure, now],
    );
    if (isOff) findings.push(failedFinding(clientId, await clientName(tx, clientId), failedDay!, run, failures));
    else if (known?.failedDay) judged.push(worksAgain(clientId, known.failedDay, run));
  }
  return findings.length + judged.length === 0 ? null : { clientId: OPERATOR, findings, judged, closedThrough: null };
}

async function clientName(tx: Transaction, clientId: number): Promise<string> {
  if (clientId === OPERATOR) return 'the population';
  const [row] = await tx.query<{ name: string }>('SELECT name FROM client WHERE client_id = $1', [clientId]);
  return row?.name ?? `client ${clientId}`;
}

function failedFinding(clientId: number, name: string, day: Day, { detector, failure }: RunSummary, failures: number): Finding {
  return {
    detectorId: detector.meta.id,
    kind: FAILED_KIND,
    title: `Detector ${detector.meta.id} was switched off for a client after failing`,
    subject: 'CLIENT',
    subjectId: String(clientId),
    simId: null,
    fleetId: null,
    windowStart: new Date(startOfDay(day)),
    windowEnd: new Date(endOfDay(day)),
    severity: 'CRITICAL',
    score: failures,
    evidence: [
      {
        column: 'error',
        observed: failure,
        expected: null,
        unit: '',
        weight: 1,
        text: `${failures} evaluations of ${name} in a row failed: ${failure}. configureDetector, or another version of it, puts it on again.`,
      },
    ],
  };
}

function worksAgain(clientId: number, day: Day, { detector }: RunSummary): Judged {
  return {
    detectorId: detector.meta.id,
    kind: FAILED_KIND,
    subject: 'CLIENT',
    windowStart: new Date(startOfDay(day)),
    subjectIds: [String(clientId)],
  };
}
