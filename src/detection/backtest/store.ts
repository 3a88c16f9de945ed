/** What a back-test found, beside it: findings by kind, window and subject, and a line for each day. */
import type { Transaction } from '../../database/database';
import { HOUR_MILLISECONDS, type Day } from '../days';
import type { DetectorOutcome } from '../host/run';
import type { Finding, FiringHistory, FiringQuestion, FiringWindow } from '../verdicts';

/** Findings of a day that keep their evidence: as many as a person reads. */
const EVIDENCE_PER_DAY = 100;
/** Windows so far apart are one alert: it clears after a day without a hit, and a hit within another day opens it again. */
const ONE_ALERT_MILLISECONDS = 48 * HOUR_MILLISECONDS;

export interface BacktestKey {
  readonly clientId: number;
  readonly backtestId: string;
}

export interface KindCount {
  readonly kind: string;
  readonly findings: number;
  readonly subjects: number;
  readonly alerts: number;
}

/** Adds a page; answers how many findings are new. The louder of two that pages or days of one window have of a subject stays. */
export async function storePage(
  tx: Transaction,
  { clientId, backtestId }: BacktestKey,
  day: Day,
  { rows, abstained, failure, findings }: DetectorOutcome,
  sims: number,
): Promise<number> {
  const [before] = await tx.query<{ findings: number }>(
    'SELECT findings FROM backtest_day WHERE client_id = $1 AND backtest_id = $2 AND day = $3',
    [clientId, backtestId, day],
  );
  const explained = Math.max(0, EVIDENCE_PER_DAY - (before?.findings ?? 0));
  const added = findings.length === 0 ? 0 : await storeFindings(tx, { clientId, backtestId }, day, findings, explained);
  await tx.query(
    `INSERT INTO backtest_day AS known (client_id, backtest_id, day, sim_days, rows_judged, rows_abstained, findings, failed_pages, error)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (client_id, backtest_id, day) DO UPDATE SET sim_days = known.sim_days + EXCLUDED.sim_days,
       rows_judged = known.rows_judged + EXCLUDED.rows_judged, rows_abstained = known.rows_abstained + EXCLUDED.rows_abstained,
       findings = known.findings + EXCLUDED.findings, failed_pages = known.failed_pages + EXCLUDED.failed_pages,
       error = coalesce(known.error, EXCLUDED.error)`,
    [clientId, backtestId, day, sims, rows, abstained, added, failure === null ? 0 : 1, failure],
  );
  return added;
}

async function storeFindings(
  tx: Transaction,
  { clientId, backtestId }: BacktestKey,
  day: Day,
  findings: readonly Finding[],
  explained: number,
): Promise<number> {
  const key = [clientId, backtestId];
  const words = [
    findings.map(({ kind }) => kind),
    findings.map(({ windowStart }) => windowStart),
    findings.map(({ subjectId }) => subjectId),
    findings.map(({ severity }) => severity),
    findings.map(({ score }) => score),
    findings.map(({ evidence }, index) => JSON.stringify(index < explained ? evidence : [])),
  ];
  const found = 'unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::float8[], $8::jsonb[])';
  const added = await tx.query<{ kind: string }>(
    `INSERT INTO backtest_finding (client_id, backtest_id, kind, window_start, subject_id, severity, score, evidence, day, subject, window_end, sim_id, fleet_id)
     SELECT $1::int4, $2::uuid, kind, window_start, subject_id, severity, score, evidence, $9::date, subject, window_end, sim_id, fleet_id
       FROM unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::float8[], $8::jsonb[], $10::text[], $11::timestamptz[], $12::int8[], $13::uuid[])
         AS found (kind, window_start, subject_id, severity, score, evidence, subject, window_end, sim_id, fleet_id)
     ON CONFLICT (client_id, backtest_id, kind, window_start, subject_id) DO NOTHING RETURNING kind`,
    [
      ...key,
      ...words,
      day,
      findings.map(({ subject }) => subject),
      findings.map(({ windowEnd }) => windowEnd),
      findings.map(({ simId }) => simId),
      findings.map(({ fleetId }) => fleetId),
    ],
  );
  if (added.length < findings.length)
    await tx.query(
      `UPDATE backtest_finding AS known SET severity = found.severity, score = found.score, evidence = found.evidence
         FROM ${found} AS found (kind, window_start, subject_id, severity, score, evidence)
        WHERE known.client_id = $1 AND known.backtest_id = $2 AND known.kind = found.kind AND known.window_start = found.window_start
          AND known.subject_id = found.subject_id AND (${loudness('found')}, found.score) > (${loudness('known')}, known.score)`,
      [...key, ...words],
    );
  return added.length;
}

function loudness(of: string): string {
  return `CASE ${of}.severity WHEN 'CRITICAL' THEN 2 WHEN 'WARNING' THEN 1 ELSE 0 END`;
}

/** By kind: findings, whom they are about, and how many alerts they would have made. */
export function countKinds(tx: Transaction, { clientId, backtestId }: BacktestKey): Promise<KindCount[]> {
  return tx.query<KindCount & object>(
    `SELECT kind, count(*)::int4 AS findings, count(DISTINCT subject_id)::int4 AS subjects,
            (count(*) FILTER (WHERE ended_before IS NULL OR extract(epoch FROM window_start - ended_before) * 1000 > $3))::int4 AS alerts
       FROM (SELECT kind, subject_id, window_start, lag(window_end) OVER (PARTITION BY kind, subject_id ORDER BY window_start) AS ended_before
               FROM backtest_finding WHERE client_id = $1 AND backtest_id = $2) found
      GROUP BY kind ORDER BY kind`,
    [clientId, backtestId, ONE_ALERT_MILLISECONDS],
  );
}

/** What fired before, as far as the back-test itself found it: hysteresis and streaks are as if the detector had run since its first day. */
export function historyOf({ clientId, backtestId }: BacktestKey): FiringHistory {
  return {
    async windows(tx: Transaction, _clientId: number, { kinds, subjectIds, from, to }: FiringQuestion): Promise<FiringWindow[]> {
      const rows = await tx.query<{ kind: string; subject_id: string; window_start: Date }>(
        `SELECT kind, subject_id, window_start FROM backtest_finding
          WHERE client_id = $1 AND backtest_id = $2 AND kind = ANY($3::text[]) AND subject_id = ANY($4::text[])
            AND window_start >= $5 AND window_start < $6`,
        [clientId, backtestId, kinds.map(({ kind }) => kind), Object.values(subjectIds).flat(), from, to],
      );
      const { detectorId } = kinds[0]!;
      return rows.map((row) => ({ detectorId, kind: row.kind, subjectId: row.subject_id, windowStart: row.window_start }));
    },
  };
}
