/**
 * The 95 features again, as one SQL statement over the table of dialogues: what the fast pass is checked against. Written from the definitions of
 * `src/detector/features.ts`, with window functions and nothing shared with the pass. PostgreSQL, the embedded database and DuckDB all run it.
 */
import { featureNames, type FeatureName } from '../../../src/detector';

export interface OracleSource {
  /** A sub-query in parentheses, or a table: the dialogues of one day. */
  readonly dialogues: string;
  /** Millisecond of an instant since the epoch, as int8. */
  readonly millisecond: string;
  /** False where the dialogues are known to hold no exact repeats. */
  readonly distinct: boolean;
}

const columns =
  'sim_id, started_at, duration_ms, protocol, procedure, origin, outcome, result_code, plmn, node_id, cancellation_type, format_violation';

const MAP = 'protocol = 1';
const DIAMETER = 'protocol = 2';
const failed = 'outcome IN (3, 4)';
const count = (...conditions: string[]) => `count(*) FILTER (WHERE ${conditions.join(' AND ')})`;
const percent = (part: string, whole: string) => `100.0 * ${part}::float8 / nullif(${whole}, 0)`;

/** `n_x`, `n_x_success`, `n_x_error`, `n_x_reject` for a condition, with an ending. */
function four(name: string, ending: string, ...conditions: string[]): Record<string, string> {
  return {
    [`${name}${ending}`]: count(...conditions),
    [`${name}_success${ending}`]: count(...conditions, 'outcome = 1'),
    [`${name}_error${ending}`]: count(...conditions, failed),
    [`${name}_reject${ending}`]: count(...conditions, 'outcome = 2'),
  };
}

function outcomeShares(name: string, condition: string): Record<string, string> {
  return Object.fromEntries(
    ['success', 'error', 'reject'].flatMap((outcome, index) => {
      const part = count(condition, ['outcome = 1', failed, 'outcome = 2'][index]!);
      return [
        [`pct_${name}_${outcome}_all_${name}s`, percent(part, count(condition))],
        [`pct_${name}_${outcome}_all_dialogs`, percent(part, 'count(*)')],
      ];
    }),
  );
}

const totalMinutes = '(max(minute) - min(minute) + 1)';
const sai = 'procedure = 1';
const cl = 'procedure = 4';

const expressions: Record<string, string> = {
  n_operator_diam: `count(DISTINCT plmn) FILTER (WHERE ${DIAMETER})`,
  n_operator_map: `count(DISTINCT plmn) FILTER (WHERE ${MAP})`,
  n_vlr_unique: `count(DISTINCT node_id) FILTER (WHERE ${MAP} AND origin = 1)`,
  n_sgsn_unique: `count(DISTINCT node_id) FILTER (WHERE ${MAP} AND origin = 2)`,
  n_operator_changes: count(DIAMETER, 'plmn <> previous_plmn'),
  n_vlr_changes: count(MAP, 'origin = 1', 'node_id <> previous_node'),
  n_sgsn_changes: count(MAP, 'origin = 2', 'node_id <> previous_node'),
  mean_iat_in_session: 'avg(gap) FILTER (WHERE gap <= 30000)::float8 / 1000',
  sd_iat_in_session: 'stddev_samp(gap::float8) FILTER (WHERE gap <= 30000) / 1000',
  mean_iat_session: 'avg(gap) FILTER (WHERE gap > 30000)::float8 / 1000',
  sd_session_iat: 'stddev_samp(gap::float8) FILTER (WHERE gap > 30000) / 1000',
  mean_session_iat_sig: 'min(session_mean) / 1000',
  sd_session_iat_sig: 'min(session_deviation) / 1000',
  n: 'count(*)',
  n_map_success: count(MAP, 'outcome = 1'),
  n_diam_success: count(DIAMETER, 'outcome = 1'),
  n_map_errors: count(MAP, failed),
  n_diam_errors: count(DIAMETER, failed),
  n_map_rejects: count(MAP, 'outcome = 2'),
  n_diam_rejects: count(DIAMETER, 'outcome = 2'),
  pct_map: percent(count(MAP), 'count(*)'),
  pct_diam: percent(count(DIAMETER), 'count(*)'),
  pct_map_errors: percent(count(MAP, failed), count(MAP)),
  pct_diam_errors: percent(count(DIAMETER, failed), count(DIAMETER)),
  pct_map_rejects: percent(count(MAP, 'outcome = 2'), count(MAP)),
  pct_diam_rejects: percent(count(DIAMETER, 'outcome = 2'), count(DIAMETER)),
  ...four('n_sai', '', MAP, sai),
  ...four('n_sai', '_vlr', MAP, sai, 'origin = 1'),
  ...four('n_sai', '_sgsn', MAP, sai, 'origin = 2'),
  ...four('n_diam_sai', '', DIAMETER, sai),
  ...four('n_ul', '', MAP, 'procedure = 2'),
  ...four('n_ul_gprs', '', MAP, 'procedure = 3'),
  ...four('n_diam_ul', '', DIAMETER, 'procedure = 2'),
  ...four('n_cl', '', MAP, cl),
  ...four('n_cl', '_vlr', MAP, cl, 'origin = 1'),
  ...four('n_cl', '_sgsn', MAP, cl, 'origin = 2'),
  ...four('n_diam_cl', '', DIAMETER, cl),
  pct_map_sai_all_dialogs: percent(count(MAP, sai), 'count(*)'),
  pct_map_ul_all_dialogs: percent(count(MAP, 'procedure = 2'), 'count(*)'),
  pct_map_ul_gprs_all_dialogs: percent(count(MAP, 'procedure = 3'), 'count(*)'),
  pct_map_cl_all_dialogs: percent(count(MAP, cl), 'count(*)'),
  pct_diam_sai_all_dialogs: percent(count(DIAMETER, sai), 'count(*)'),
  pct_diam_ul_all_dialogs: percent(count(DIAMETER, 'procedure = 2'), 'count(*)'),
  pct_diam_cl_all_dialogs: percent(count(DIAMETER, cl), 'count(*)'),
  ...outcomeShares('sai', sai),
  ...outcomeShares('ul', `(procedure = 2 OR (procedure = 3 AND ${MAP}))`),
  ...outcomeShares('cl', cl),
  total_activity_in_minutes: totalMinutes,
  active_minutes: 'count(DISTINCT minute)',
  relative_activity: `count(DISTINCT minute)::float8 / ${totalMinutes}`,
  active_ngn_minutes: `count(DISTINCT minute) FILTER (WHERE ${DIAMETER})`,
  relative_ngn_activity: `count(DISTINCT minute) FILTER (WHERE ${DIAMETER})::float8 / ${totalMinutes}`,
};

export function expressionOf(name: FeatureName): string {
  const expression = expressions[name];
  if (expression === undefined) throw new Error(`the oracle has no expression for ${name}`);
  return expression;
}

/** Answers rows of sim_id and the 95 features in the order of the catalogue, by sim_id. */
export function featureOracle({ dialogues, millisecond, distinct }: OracleSource): string {
  return `
WITH counted AS (
  SELECT ${distinct ? 'DISTINCT ' : ''}${columns} FROM ${dialogues} AS source
), timed AS (
  SELECT counted.*, ${millisecond} AS ms, floor(${millisecond} / 60000)::int8 AS minute FROM counted
), ordered AS (
  SELECT timed.*,
         ms - lag(ms) OVER (PARTITION BY sim_id ORDER BY ms) AS gap,
         ms - lag(ms) OVER (PARTITION BY sim_id, procedure <= 4 ORDER BY ms) AS session_gap,
         lag(node_id) OVER (PARTITION BY sim_id, protocol, origin, node_id IS NULL ORDER BY ms, node_id) AS previous_node,
         lag(plmn) OVER (PARTITION BY sim_id, protocol, plmn IS NULL ORDER BY ms, node_id NULLS FIRST, plmn) AS previous_plmn
    FROM timed
), numbered AS (
  SELECT sim_id, ms, sum(CASE WHEN session_gap > 30000 THEN 1 ELSE 0 END) OVER (PARTITION BY sim_id ORDER BY ms) AS session
    FROM ordered WHERE procedure <= 4
), sessions AS (
  SELECT sim_id, (max(ms) - min(ms))::float8 / (count(*) - 1) AS mean_gap FROM numbered GROUP BY sim_id, session HAVING count(*) > 1
), session_means AS (
  SELECT sim_id AS session_sim, avg(mean_gap) AS session_mean, stddev_samp(mean_gap) AS session_deviation FROM sessions GROUP BY sim_id
)
SELECT sim_id, ${featureNames.map((name) => `${expressionOf(name)} AS ${name}`).join(',\n       ')}
  FROM ordered LEFT JOIN session_means ON session_sim = sim_id
 GROUP BY sim_id ORDER BY sim_id`;
}
