/** The 95 features in DuckDB, twice: by window functions (the oracle's statement), and by one list per SIM. The bench prints both and takes the faster. */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { featureNames, type FeatureName } from '../../../src/detector';
import { expressionOf, featureOracle } from '../../pipeline/features/oracle';

export type Source = 'dialogue' | `read_parquet('${string}')`;

/** No DISTINCT: the bench's dialogues hold no repeats, and DuckDB needn't look for any. */
export function byWindows(source: Source): string {
  return featureOracle({ dialogues: source, millisecond: 'epoch_ms(started_at)', distinct: false });
}

const gapsOf = (condition: string) => `list_filter(gaps, lambda gap: gap ${condition})`;
const changes = (list: string) => `len(list_filter(range(2, len(${list}) + 1), lambda i: ${list}[i] <> ${list}[i - 1]))`;

/** What depends on the order of dialogues, from lists; all else is counted where the lists are made. */
const fromLists: Partial<Record<FeatureName, string>> = {
  n_operator_diam: 'list_unique(diameter_networks)',
  n_vlr_unique: 'list_unique(vlrs)',
  n_sgsn_unique: 'list_unique(sgsns)',
  n_operator_changes: changes('diameter_networks'),
  n_vlr_changes: changes('vlrs'),
  n_sgsn_changes: changes('sgsns'),
  mean_iat_in_session: `list_avg(${gapsOf('<= 30000')}) / 1000`,
  sd_iat_in_session: `list_stddev_samp(${gapsOf('<= 30000')}) / 1000`,
  mean_iat_session: `list_avg(${gapsOf('> 30000')}) / 1000`,
  sd_session_iat: `list_stddev_samp(${gapsOf('> 30000')}) / 1000`,
  mean_session_iat_sig: 'list_avg(session_means) / 1000',
  sd_session_iat_sig: 'list_stddev_samp(session_means) / 1000',
};

export function byLists(source: Source): string {
  const counted = featureNames.filter((name) => fromLists[name] === undefined);
  return `
WITH timed AS (
  SELECT *, epoch_ms(started_at) AS ms, epoch_ms(started_at) // 60000 AS minute FROM ${source}
), lists AS (
  SELECT sim_id, ${counted.map((name) => `${expressionOf(name)} AS ${name}`).join(',\n         ')},
         list(ms ORDER BY ms) AS times,
         coalesce(list(ms ORDER BY ms) FILTER (WHERE procedure <= 4), []) AS signaling,
         coalesce(list(node_id ORDER BY ms, node_id) FILTER (WHERE protocol = 1 AND origin = 1 AND node_id IS NOT NULL), []) AS vlrs,
         coalesce(list(node_id ORDER BY ms, node_id) FILTER (WHERE protocol = 1 AND origin = 2 AND node_id IS NOT NULL), []) AS sgsns,
         coalesce(list(plmn ORDER BY ms, node_id NULLS FIRST, plmn) FILTER (WHERE protocol = 2 AND plmn IS NOT NULL), []) AS diameter_networks
    FROM timed GROUP BY sim_id
), cut AS (
  SELECT *, list_transform(range(2, len(times) + 1), lambda i: times[i] - times[i - 1]) AS gaps,
         list_filter(range(1, len(signaling) + 1), lambda i: i = 1 OR signaling[i] - signaling[i - 1] > 30000) AS firsts,
         list_filter(range(1, len(signaling) + 1), lambda i: i = len(signaling) OR signaling[i + 1] - signaling[i] > 30000) AS lasts
    FROM lists
), sessions AS (
  SELECT *, list_transform(list_filter(range(1, len(firsts) + 1), lambda k: lasts[k] > firsts[k]),
                           lambda k: (signaling[lasts[k]] - signaling[firsts[k]]) / (lasts[k] - firsts[k])) AS session_means
    FROM cut
)
SELECT sim_id, ${featureNames.map((name) => `${fromLists[name] ?? name} AS ${name}`).join(',\n       ')}
  FROM sessions ORDER BY sim_id`;
}

/** One thread, a native table of its own. */
export async function openDuckdb(): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`
    CREATE TABLE dialogue (sim_id BIGINT NOT NULL, started_at TIMESTAMP NOT NULL, duration_ms INTEGER, protocol SMALLINT NOT NULL, procedure SMALLINT NOT NULL,
      origin SMALLINT NOT NULL, outcome SMALLINT NOT NULL, result_code INTEGER, plmn INTEGER, node_id INTEGER, cancellation_type SMALLINT,
      format_violation BOOLEAN NOT NULL)`);
  return connection;
}
