/** Tells what detection says to the alerts, day by day, and reads what came of it. */
import type { Severity } from '../../../src/detector';
import type { Finding, Judged } from '../../../src/detection/verdicts';
import type { AlertChange } from '../../../src/alerts/alert-change';
import { AlertRaiser } from '../../../src/alerts/raise';
import type { Database, Transaction } from '../../../src/database/database';
import { DetectorRegistry } from '../../../src/detection';
import { SystemEntropy } from '../../../src/runtime';

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-11-01T00:00:00Z');

/** Midnight at the start of the story's day; day(1) is 1 November 2026, day(1.5) its noon. */
export function day(number: number): Date {
  return new Date(FIRST_DAY + (number - 1) * DAY_MS);
}

export interface Hit {
  readonly day: number;
  readonly severity?: Severity;
  readonly score?: number;
  readonly sim?: string;
  readonly kind?: string;
  /** Default: the SIM. */
  readonly subject?: Finding['subject'];
  readonly subjectId?: string;
}

export interface Said {
  readonly hits?: readonly Hit[];
  /** Judged without a finding. */
  readonly clear?: readonly { readonly day: number; readonly sim?: string; readonly kind?: string }[];
  /** The last closed day. */
  readonly closed?: number;
  /** When it arrives; default: noon of the latest day spoken of. */
  readonly now?: Date;
}

export interface StoredAlert {
  alert_id: string;
  state: string;
  severity: string;
  resolution: string | null;
  resolved_at: Date | null;
  title: string;
  score: number;
  late: boolean;
  note: string | null;
  acknowledged_by: string | null;
  sequence: number;
  occurrence_count: number;
  /** Days of its windows. */
  days: number[];
}

export function finding(hit: Hit): Finding {
  const { kind = 'DAILY_LIMIT', sim = '1', severity = 'WARNING', score = hit.day, subject = 'SIM' } = hit;
  return {
    detectorId: 'threshold',
    kind,
    title: `Day ${hit.day} over its limit`,
    subject,
    subjectId: hit.subjectId ?? sim,
    simId: subject === 'SIM' ? sim : null,
    fleetId: null,
    windowStart: day(hit.day),
    windowEnd: day(hit.day + 1),
    severity,
    score,
    evidence: [{ column: 'dayBytes', observed: score, expected: 1, unit: 'bytes', weight: 1, text: `${score} bytes, limit 1 byte` }],
  };
}

export class AlertStory {
  private readonly raiser = new AlertRaiser(new SystemEntropy(), new DetectorRegistry());

  constructor(
    readonly database: Database,
    readonly clientId: number,
  ) {}

  static async ofNewClient(database: Database, name: string): Promise<AlertStory> {
    const [row] = await database.transaction({ name: 'test.client', role: 'operator' }, (tx) =>
      tx.query<{ client_id: number }>('INSERT INTO client (name, created_at, updated_at) VALUES ($1, $2, $2) RETURNING client_id', [
        name,
        day(1),
      ]),
    );
    return new AlertStory(database, row!.client_id);
  }

  async say(said: Said): Promise<AlertChange[]> {
    return this.within(said, (_, changes) => Promise.resolve(changes));
  }

  /** Says it, and goes on with the changes in the same transaction. */
  async within<T>(said: Said, then: (tx: Transaction, changes: AlertChange[], now: Date) => Promise<T>): Promise<T> {
    const { hits = [], clear = [], closed } = said;
    const now = said.now ?? day(Math.max(1, closed ?? 0, ...[...hits, ...clear].map((one) => one.day)) + 0.5);
    const judged: Judged[] = clear.map((one) => ({
      detectorId: 'threshold',
      kind: one.kind ?? 'DAILY_LIMIT',
      subject: 'SIM',
      windowStart: day(one.day),
      subjectIds: [one.sim ?? '1'],
    }));
    const verdicts = {
      clientId: this.clientId,
      findings: hits.map(finding),
      judged,
      closedThrough: closed === undefined ? null : day(closed + 1),
    };
    return this.database.transaction({ name: 'test.raise', role: 'ingest', clientId: this.clientId }, async (tx) =>
      then(tx, await this.raiser.raise(tx, verdicts, now), now),
    );
  }

  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.database.transaction({ name: 'test.query', role: 'ingest', clientId: this.clientId }, (tx) =>
      tx.query<Row>(sql, [this.clientId, ...parameters]),
    );
  }

  /** In order of time; alerts that stand for nothing (merged, retracted) only with `all`. */
  async alerts(all = false): Promise<StoredAlert[]> {
    const rows = await this.query<StoredAlert & { starts: Date[] }>(
      `SELECT alert.*, ARRAY(SELECT window_start FROM alert_occurrence o WHERE o.client_id = alert.client_id AND o.alert_id = alert.alert_id ORDER BY 1) AS starts
       FROM alert WHERE client_id = $1 ${all ? '' : 'AND occurrence_count > 0'} ORDER BY fingerprint, first_window_start, created_at, alert_id`,
    );
    return rows.map(({ starts, ...row }) => ({ ...row, days: starts.map((start) => (start.getTime() - FIRST_DAY) / DAY_MS + 1) }));
  }

  async alert(): Promise<StoredAlert> {
    const alerts = await this.alerts();
    if (alerts.length !== 1) throw new Error(`expected one alert, got ${JSON.stringify(alerts)}`);
    return alerts[0]!;
  }

  /** What must not depend on the order in which things became known: all but ids and wall clock. */
  async digest(): Promise<unknown[]> {
    return this.query(
      `SELECT alert.fingerprint, alert.state, alert.severity, alert.title, alert.score, alert.evidence, alert.first_window_start, alert.last_window_start,
         alert.last_window_end, alert.occurrence_count, alert.resolution, alert.resolved_at,
         (SELECT jsonb_agg(jsonb_build_array(o.window_start, o.window_end, o.severity, o.score) ORDER BY o.window_start)
          FROM alert_occurrence o WHERE o.client_id = alert.client_id AND o.alert_id = alert.alert_id) AS windows
       FROM alert
       WHERE alert.client_id = $1 AND alert.occurrence_count > 0 ORDER BY alert.fingerprint, alert.first_window_start`,
    );
  }

  async events(): Promise<
    {
      subject_id: string;
      sequence: number;
      fields: string[];
      from_state: string | null;
      to_state: string;
      attributes: Record<string, unknown>;
    }[]
  > {
    return this.query('SELECT * FROM event_pending WHERE client_id = $1 ORDER BY subject_id, sequence');
  }
}
