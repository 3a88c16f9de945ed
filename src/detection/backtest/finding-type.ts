/** What a back-test found, as GraphQL shows it, and the pages of it. */
import { Field, Float, ObjectType } from 'type-graphql';
import type { Evidence, Severity } from '../../detector';
import { connectionOf, pageOf, type Connection, type PageArgs } from '../../graphql/connection';
import type { GraphqlContext } from '../../graphql/context';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars';
import { RowFilter } from '../../access';
import { AnomalyEvidence } from '../population/device-anomaly-type';
import { decodeScoreCursor } from '../population/score-cursor';
import type { SubjectKind } from '../verdicts';
import type { BacktestRow } from './record';

interface FindingRow {
  client_id: number;
  kind: string;
  window_start: Date;
  window_end: Date;
  subject: SubjectKind;
  subject_id: string;
  day: string;
  sim_id: string | null;
  fleet_id: string | null;
  severity: Severity;
  score: number;
  evidence: Evidence[];
}

@ObjectType({ description: 'One subject, one window, one kind that would have raised an alert, or been an occurrence of one.' })
export class BacktestFinding {
  @Field(() => String, { description: "The kind's id: `DAILY_LIMIT`." })
  kind: string;
  @Field(() => String, { description: 'What it is about: SIM, FLEET, CLIENT, NETWORK or COUNTRY.' })
  subject: SubjectKind;
  @Field(() => String, { nullable: true, description: 'The network (PLMN) that it is about; null for other subjects.' })
  network: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'The visited country that it is about, ISO 3166-1 alpha-2; null for other subjects.',
  })
  country: string | null;
  @Field(() => DateScalar, { description: 'The UTC day on which it fired; of a longer window the first.' })
  day: string;
  @Field(() => DateTimeScalar, { description: 'Start of its window (event time).' })
  windowStart: Date;
  @Field(() => DateTimeScalar, { description: 'End of its window (event time).' })
  windowEnd: Date;
  @Field(() => String, { description: 'INFO, WARNING or CRITICAL: the worst in its window.' })
  severity: Severity;
  @Field(() => Float, { description: "The detector's score: higher is more anomalous; its scale is the detector's own." })
  score: number;
  @Field(() => [AnomalyEvidence], { description: 'Why it fired; kept of the first 100 findings of each day, empty for the others.' })
  evidence: readonly Evidence[];
  row: FindingRow;

  static of(row: FindingRow): BacktestFinding {
    return Object.assign(new BacktestFinding(), {
      row,
      kind: row.kind,
      subject: row.subject,
      network: row.subject === 'NETWORK' ? row.subject_id : null,
      country: row.subject === 'COUNTRY' ? row.subject_id : null,
      day: row.day,
      windowStart: row.window_start,
      windowEnd: row.window_end,
      severity: row.severity,
      score: row.score,
      evidence: row.evidence,
    });
  }
}

@ObjectType({ description: 'A page of what a back-test found.' })
export class BacktestFindingConnection extends connectionOf(BacktestFinding, 'BacktestFinding') {}

/** The latest day first, the highest score first. */
export async function findingPage(
  context: GraphqlContext,
  { client_id: clientId, backtest_id: backtestId }: BacktestRow,
  page: PageArgs,
  { kind, day }: { readonly kind?: string | null; readonly day?: string | null },
): Promise<Connection<BacktestFinding>> {
  const conditions = (): RowFilter => {
    const shown = new RowFilter().and('client_id = ?', clientId).and('backtest_id = ?', backtestId);
    if (kind) shown.and('kind = ?', kind);
    if (day) shown.and('day = ?', day);
    return shown;
  };
  const shown = conditions();
  if (page.after) {
    const [score, ...rest] = decodeScoreCursor(page.after, ['score', 'date', 'text', 'text']);
    shown.and('(day, score, kind, subject_id) < (?::date, ?::float8, ?::text, ?::text)', rest[0]!, score!, rest[1]!, rest[2]!);
  }
  const rows = await context.read((tx) =>
    tx.query<FindingRow>(
      `SELECT client_id, kind, window_start, window_end, subject, subject_id, day, sim_id, fleet_id, severity, score, evidence FROM backtest_finding
        ${shown.where} ORDER BY day DESC, score DESC, kind DESC, subject_id DESC LIMIT ${page.first + 1}`,
      shown.parameters,
    ),
  );
  return pageOf(
    rows,
    page,
    (row) => [String(row.score), row.day, row.kind, row.subject_id],
    (row) => BacktestFinding.of(row),
    async () => {
      const all = conditions();
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM backtest_finding ${all.where}`, all.parameters),
      );
      return counted!.count;
    },
  );
}
