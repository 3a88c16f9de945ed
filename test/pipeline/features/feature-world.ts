/** Dialogues written down in a few words, stored in the table, and their features by the pass and by the oracle. */
import { featureNames } from '../../../src/detector';
import { CopyParser, COPIED_COLUMNS } from '../../../src/detection/features/copy-parser';
import { FeaturePass } from '../../../src/detection/features/feature-pass';
import { PackedDialogues } from '../../../src/detection/features/packed-dialogues';
import { sortBySim } from '../../../src/detection/features/sorted-dialogues';
import { startOfDay } from '../../../src/detection/days';
import type { Database } from '../../../src/database/database';
import { ORIGINS, OUTCOMES, plmnCode, PROCEDURES, PROTOCOLS } from '../../../src/telemetry/dialogue-codes';
import { featureOracle } from './oracle';

export interface DialogueSeed {
  readonly sim?: number;
  /** Milliseconds of the day. */
  readonly at: number;
  readonly protocol?: (typeof PROTOCOLS)[number];
  readonly procedure?: (typeof PROCEDURES)[number];
  readonly origin?: (typeof ORIGINS)[number];
  readonly outcome?: (typeof OUTCOMES)[number];
  readonly plmn?: string | null;
  readonly node?: number | null;
  readonly durationMs?: number | null;
  readonly resultCode?: number | null;
  readonly cancellationType?: number | null;
  readonly formatViolation?: boolean;
}

export const DAY = '2026-11-02';

/** Stores dialogues in the order given. */
export async function storeDialogues(database: Database, clientId: number, seeds: readonly DialogueSeed[], day = DAY): Promise<void> {
  await database.ensurePartitions('dialogue', [day]);
  const column = <T>(of: (seed: DialogueSeed) => T) => seeds.map(of);
  const midnight = startOfDay(day);
  await database.transaction({ name: 'test.seed', role: 'ingest', clientId }, (tx) =>
    tx.query(
      `INSERT INTO dialogue (client_id, day, sim_id, started_at, protocol, procedure, origin, outcome, plmn, node_id, duration_ms, result_code,
                             cancellation_type, format_violation)
       SELECT $1, $2, u.* FROM unnest($3::int8[], $4::timestamptz[], $5::int2[], $6::int2[], $7::int2[], $8::int2[], $9::int4[], $10::int4[], $11::int4[],
                                      $12::int4[], $13::int2[], $14::boolean[]) AS u`,
      [
        clientId,
        day,
        column((seed) => String(seed.sim ?? 1)),
        column((seed) => new Date(midnight + seed.at).toISOString()),
        column((seed) => PROTOCOLS.indexOf(seed.protocol ?? 'MAP') + 1),
        column((seed) => PROCEDURES.indexOf(seed.procedure ?? 'SAI') + 1),
        column((seed) => ORIGINS.indexOf(seed.origin ?? 'VLR') + 1),
        column((seed) => OUTCOMES.indexOf(seed.outcome ?? 'SUCCESS') + 1),
        column((seed) => (seed.plmn === null ? null : plmnCode(seed.plmn ?? '214-07'))),
        column((seed) => (seed.node === undefined ? 1 : seed.node)),
        column((seed) => (seed.durationMs === undefined ? 120 : seed.durationMs)),
        column((seed) => seed.resultCode ?? null),
        column((seed) => seed.cancellationType ?? null),
        column((seed) => seed.formatViolation ?? false),
      ],
    ),
  );
}

/** Per SIM, in the order of ids: the 95 values by name. */
export type FeatureTable = { readonly sim: string; readonly values: Readonly<Record<string, number>> }[];

export function byPass(seeds: PackedDialogues): FeatureTable {
  const simIds = seeds.sortSims();
  const output = new Float64Array(simIds.length * featureNames.length);
  new FeaturePass().run(sortBySim(seeds, simIds.length), output);
  return Array.from(simIds, (simId, row) => ({
    sim: String(simId),
    values: Object.fromEntries(featureNames.map((name, index) => [name, output[row * featureNames.length + index]!])),
  }));
}

/** What the product would compute: dialogues copied out of the table, packed, sorted, passed over. */
export async function passOver(database: Database, clientId: number, day = DAY): Promise<FeatureTable> {
  const packed = new PackedDialogues();
  const parser = new CopyParser(new Map([[clientId, packed]]), startOfDay(day));
  await database.transaction({ name: 'test.copy', role: 'ingest', clientId, readOnly: true }, (tx) =>
    tx.copyOut(`SELECT ${COPIED_COLUMNS} FROM dialogue WHERE client_id = ${clientId} AND day = '${day}'`, parser.take),
  );
  parser.end();
  return byPass(packed);
}

export async function askOracle(database: Database, clientId: number, day = DAY): Promise<FeatureTable> {
  const sql = featureOracle({
    dialogues: '(SELECT * FROM dialogue WHERE client_id = $1 AND day = $2)',
    millisecond: `round(extract(epoch FROM started_at) * 1000)::int8`,
    distinct: true,
  });
  const rows = await database.transaction({ name: 'test.oracle', role: 'ingest', clientId, readOnly: true }, (tx) =>
    tx.query<Record<string, string | number | null>>(sql, [clientId, day]),
  );
  return rows.map((row) => ({
    sim: String(row['sim_id']),
    values: Object.fromEntries(featureNames.map((name) => [name, row[name] === null ? NaN : Number(row[name])])),
  }));
}

/** The features in which two tables differ by more than 1e-9 of the value (deviations: of the scale of the gaps), in words. */
export function differences(one: FeatureTable, other: FeatureTable): string[] {
  if (one.length !== other.length) return [`${one.length} SIMs against ${other.length}`];
  return one.flatMap(({ sim, values }, row) => {
    const others = other[row]!;
    if (sim !== others.sim) return [`SIM ${sim} against ${others.sim}`];
    return featureNames.flatMap((name) => {
      const [a, b] = [values[name]!, others.values[name]!];
      const equal = Number.isNaN(a) ? Number.isNaN(b) : Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
      return equal ? [] : [`SIM ${sim}, ${name}: ${a} against ${b}`];
    });
  });
}

/** What the ingest notes with every chunk: the day has dialogues, more than before. */
export async function noteSignaling(database: Database, clientId: number, dialogues: number, day = DAY, at = new Date(0)): Promise<void> {
  await database.transaction({ name: 'test.seed', role: 'ingest', clientId }, (tx) =>
    tx.query(
      `INSERT INTO signaling_day (client_id, day, dialogues, changes, first_received_at, last_received_at) VALUES ($1, $2, $3, 1, $4, $4)
       ON CONFLICT (client_id, day) DO UPDATE SET dialogues = signaling_day.dialogues + EXCLUDED.dialogues, changes = signaling_day.changes + 1,
                                                  last_received_at = EXCLUDED.last_received_at`,
      [clientId, day, dialogues, at],
    ),
  );
}
