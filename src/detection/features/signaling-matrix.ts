/** One device-day as a picture: kinds of dialogues down, the day's 96 quarters of an hour across. For the view of aggressive devices, and for models of it. */
import type { Transaction } from '../../database/database';
import { ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../../telemetry/dialogue-codes';
import { startOfDay, type Day } from '../days';

export const QUARTERS = 96;
const QUARTER_SECONDS = 900;
/** ANCHOR: longer is unusual, and rare. */
const UNUSUAL_MILLISECONDS = 2_500;
const RARE_MILLISECONDS = 6_000;

export interface MatrixRow {
  /** What is counted: `MAP_SAI_SUCCESS`, `ORIGIN_VLR`, `DURATION_ABOVE_2500_MS`. */
  readonly name: string;
  /** 96 counts, from midnight UTC on. */
  readonly counts: number[];
}

interface CountRow {
  quarter: number;
  protocol: number;
  procedure: number;
  origin: number;
  outcome: number;
  dialogues: number;
  unusual: number;
  rare: number;
  violations: number;
}

/** Always the same rows in the same order, whether or not anything was counted in them; exact repeats count once. */
export async function signalingMatrix(tx: Transaction, clientId: number, simId: string, day: Day): Promise<MatrixRow[]> {
  const rows = await tx.query<CountRow>(
    `SELECT floor(extract(epoch FROM started_at - $4::timestamptz) / ${QUARTER_SECONDS})::int4 AS quarter, protocol, procedure, origin, outcome,
            count(*)::int4 AS dialogues, count(*) FILTER (WHERE duration_ms > ${UNUSUAL_MILLISECONDS})::int4 AS unusual,
            count(*) FILTER (WHERE duration_ms > ${RARE_MILLISECONDS})::int4 AS rare, count(*) FILTER (WHERE format_violation)::int4 AS violations
       FROM (SELECT DISTINCT started_at, duration_ms, protocol, procedure, origin, outcome, result_code, plmn, node_id, cancellation_type, format_violation
               FROM dialogue WHERE client_id = $1 AND day = $2 AND sim_id = $3) once
      GROUP BY 1, 2, 3, 4, 5`,
    [clientId, day, simId, new Date(startOfDay(day))],
  );
  const matrix = new Map(rowNames.map((name) => [name, new Array<number>(QUARTERS).fill(0)]));
  const add = (name: string, quarter: number, count: number): void => {
    matrix.get(name)![quarter]! += count;
  };
  for (const row of rows) {
    add(kindName(row.protocol, row.procedure, row.outcome), row.quarter, row.dialogues);
    add(`ORIGIN_${ORIGINS[row.origin - 1]}`, row.quarter, row.dialogues);
    add(`DURATION_ABOVE_${UNUSUAL_MILLISECONDS}_MS`, row.quarter, row.unusual);
    add(`DURATION_ABOVE_${RARE_MILLISECONDS}_MS`, row.quarter, row.rare);
    add('FORMAT_VIOLATION', row.quarter, row.violations);
  }
  return [...matrix].map(([name, counts]) => ({ name, counts }));
}

function kindName(protocol: number, procedure: number, outcome: number): string {
  return `${PROTOCOLS[protocol - 1]}_${PROCEDURES[procedure - 1]}_${OUTCOMES[outcome - 1]}`;
}

const rowNames: readonly string[] = [
  ...PROTOCOLS.flatMap((protocol) => PROCEDURES.flatMap((procedure) => OUTCOMES.map((outcome) => `${protocol}_${procedure}_${outcome}`))),
  ...ORIGINS.map((origin) => `ORIGIN_${origin}`),
  `DURATION_ABOVE_${UNUSUAL_MILLISECONDS}_MS`,
  `DURATION_ABOVE_${RARE_MILLISECONDS}_MS`,
  'FORMAT_VIOLATION',
];
