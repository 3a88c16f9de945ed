/** `bench features`: the 95 features of a day by our pass and by DuckDB, from memory and with parsing, per CPU second; after all values agree. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBTimestampValue, type DuckDBConnection } from '@duckdb/node-api';
import { FEATURE_COUNT, featureNames } from '../../../src/detector';
import { FeaturePass } from '../../../src/detection/features/feature-pass';
import type { PackedDialogues } from '../../../src/detection/features/packed-dialogues';
import { sortBySim } from '../../../src/detection/features/sorted-dialogues';
import { interleave, medianOf, ratio, type Report, type Suite, type SuiteOptions } from '../harness';
import { csvOf, parseCsv } from './csv';
import { byLists, byWindows, openDuckdb, type Source } from './duckdb';
import { packed, population, type Row } from './population';

const DAY = '2026-11-01';
const SIMS = 10_000;
const SIMS_FULL = 100_000;

export const suite: Suite = {
  name: 'features',
  summary:
    'One thread each. From memory: packed rows and SIM ids in typed arrays against a native DuckDB table. With parsing: CSV bytes against Parquet. DuckDB looks for no repeats; we do.',
  async run(options: SuiteOptions): Promise<Report> {
    const rows = population(options.full ? SIMS_FULL : SIMS, 1);
    options.say(`${rows.length} dialogues`);
    const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-'));
    try {
      const parquet = join(directory, 'dialogues.parquet');
      return await measured(rows, parquet, options);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function measured(rows: readonly Row[], parquet: string, options: SuiteOptions): Promise<Report> {
  const duckdb = await openDuckdb();
  await load(duckdb, rows);
  await duckdb.run(`COPY dialogue TO '${parquet}' (FORMAT parquet)`);
  const csv = csvOf(rows, DAY);
  const dialogues = packed(rows);
  const parquetSource: Source = `read_parquet('${parquet}')`;
  for (const [name, sql] of Object.entries({ windows: byWindows('dialogue'), lists: byLists('dialogue') })) {
    options.say(`DuckDB by ${name}:${sql}\n`);
    await mustAgree(duckdb, sql, dialogues, name);
  }
  mustEqual(features(parseCsv(csv)), features(copyOf(dialogues)));
  options.say('all 95 features agree');

  const run = (sql: string) => async () => void (await duckdb.run(sql));
  let input = dialogues;
  const samples = await interleave(
    [
      { name: 'pass from memory', prepare: () => void (input = copyOf(dialogues)), run: () => void features(input) },
      { name: 'DuckDB windows from memory', run: run(byWindows('dialogue')) },
      { name: 'DuckDB lists from memory', run: run(byLists('dialogue')) },
      { name: 'pass with parsing', run: () => void features(parseCsv(csv)) },
      { name: 'DuckDB windows from Parquet', run: run(byWindows(parquetSource)) },
      { name: 'DuckDB lists from Parquet', run: run(byLists(parquetSource)) },
    ],
    options,
  );
  const against = (side: string, peers: readonly string[]) => Math.min(...peers.map((peer) => ratio(samples, side, peer, 'cpuSeconds')));
  const rate = (side: string) => rows.length / medianOf(samples, side, 'cpuSeconds');
  return {
    ratios: {
      memory_vs_duckdb: against('pass from memory', ['DuckDB windows from memory', 'DuckDB lists from memory']),
      parsing_vs_duckdb: against('pass with parsing', ['DuckDB windows from Parquet', 'DuckDB lists from Parquet']),
    },
    figures: {
      dialogues: rows.length,
      csv_bytes: csv.length,
      pass_rows_per_cpu_second: rate('pass from memory'),
      pass_parsing_rows_per_cpu_second: rate('pass with parsing'),
      duckdb_windows_rows_per_cpu_second: rate('DuckDB windows from memory'),
      duckdb_lists_rows_per_cpu_second: rate('DuckDB lists from memory'),
      duckdb_windows_parquet_rows_per_cpu_second: rate('DuckDB windows from Parquet'),
      duckdb_lists_parquet_rows_per_cpu_second: rate('DuckDB lists from Parquet'),
    },
  };
}

/** Everything from packed rows in order of arrival: SIMs in the order of their ids, the sort, the pass. */
function features(dialogues: PackedDialogues): { readonly simIds: Float64Array; readonly values: Float64Array } {
  const simIds = dialogues.sortSims();
  const values = new Float64Array(simIds.length * FEATURE_COUNT);
  new FeaturePass().run(sortBySim(dialogues, simIds.length), values);
  return { simIds, values };
}

/** Sorting the SIMs numbers them anew, so each turn starts from a copy. */
function copyOf(dialogues: PackedDialogues): PackedDialogues {
  return Object.assign(Object.create(Object.getPrototypeOf(dialogues) as object) as PackedDialogues, dialogues, {
    sims: dialogues.sims.slice(),
  });
}

async function load(duckdb: DuckDBConnection, rows: readonly Row[]): Promise<void> {
  const appender = await duckdb.createAppender('dialogue');
  const midnight = BigInt(Date.parse(`${DAY}T00:00:00Z`)) * 1000n;
  const orNull = (append: (value: number) => void, value: number | null) => (value === null ? appender.appendNull() : append(value));
  const integer = (value: number | null) => orNull((known) => appender.appendInteger(known), value);
  const small = (value: number | null) => orNull((known) => appender.appendSmallInt(known), value);
  for (const row of rows) {
    appender.appendBigInt(BigInt(row.simId));
    appender.appendTimestamp(new DuckDBTimestampValue(midnight + BigInt(row.millisecond) * 1000n));
    integer(row.durationMs);
    small(row.protocol);
    small(row.procedure);
    small(row.origin);
    small(row.outcome);
    integer(row.resultCode);
    integer(row.plmn);
    integer(row.nodeId);
    small(row.cancellationType);
    appender.appendBoolean(row.formatViolation);
    appender.endRow();
  }
  appender.closeSync();
}

async function mustAgree(duckdb: DuckDBConnection, sql: string, dialogues: PackedDialogues, formulation: string): Promise<void> {
  const { simIds, values } = features(copyOf(dialogues));
  const answer = await duckdb.runAndReadAll(sql);
  const rows = answer.getRows();
  if (rows.length !== simIds.length) throw new Error(`DuckDB by ${formulation} has ${rows.length} SIMs, the pass ${simIds.length}`);
  rows.forEach((row, sim) => {
    if (Number(row[0]) !== simIds[sim]) throw new Error(`DuckDB by ${formulation} has SIM ${String(row[0])}, the pass ${simIds[sim]}`);
    featureNames.forEach((name, index) => {
      const theirs = row[index + 1] === null ? NaN : Number(row[index + 1]);
      const ours = values[sim * FEATURE_COUNT + index]!;
      const equal = Number.isNaN(ours) ? Number.isNaN(theirs) : Math.abs(ours - theirs) <= 1e-9 * Math.max(1, Math.abs(ours));
      if (!equal) throw new Error(`SIM ${simIds[sim]}, ${name}: the pass has ${ours}, DuckDB by ${formulation} ${theirs}`);
    });
  });
}

function mustEqual(one: ReturnType<typeof features>, other: ReturnType<typeof features>): void {
  if (one.simIds.length !== other.simIds.length) throw new Error('the CSV has other SIMs than the rows');
  for (let at = 0; at < one.values.length; at++)
    if (!Object.is(one.values[at], other.values[at]))
      throw new Error(`parsed from CSV, ${featureNames[at % FEATURE_COUNT]} is ${one.values[at]} instead of ${other.values[at]}`);
}
