/** Finds devices that reboot, fail at TLS or retry without end: usually a firmware bug. */
import {
  countInWords,
  defineDetector,
  DetectionDraft,
  multipleInWords,
  nameAt,
  subjects,
  type ColumnsOf,
  type Evidence,
  type Kind,
  type SubjectRows,
} from 'simwarden/detector';

const kinds = [
  {
    id: 'DEVICE_EVENT_STORM',
    title: 'The device repeats the same event without end',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
] as const satisfies readonly Kind[];

const needs = ['subject', 'eventClass', 'eventType', 'eventCount'] as const;
type Columns = ColumnsOf<(typeof needs)[number]>;

interface Limits {
  readonly rebootsPerDay: number;
  readonly tlsErrorsPerDay: number;
  readonly retryLoopsPerDay: number;
  readonly otherEventsPerDay: number;
  readonly typeLimits: readonly string[];
}

export default defineDetector({
  meta: {
    id: 'device-event-storm',
    version: '1.0.0',
    contract: 1,
    title: 'Device event storms',
    summary: "Adds up the device events of a SIM's day by type and compares each sum with the limit of its type.",
    input: 'events',
    needs,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        rebootsPerDay: {
          type: 'integer',
          default: 10,
          minimum: 1,
          maximum: 1_000_000,
          description: 'REBOOT events that make a storm (events per day).',
        },
        tlsErrorsPerDay: {
          type: 'integer',
          default: 50,
          minimum: 1,
          maximum: 1_000_000,
          description: 'TLS_ERROR events that make a storm (events per day).',
        },
        retryLoopsPerDay: {
          type: 'integer',
          default: 20,
          minimum: 1,
          maximum: 1_000_000,
          description: 'RETRY_LOOP events that make a storm (events per day).',
        },
        otherEventsPerDay: {
          type: 'integer',
          default: 200,
          minimum: 1,
          maximum: 10_000_000,
          description: 'Events of any other type that make a storm (events per day).',
        },
        typeLimits: {
          type: 'array',
          default: [],
          maxItems: 100,
          items: { type: 'string', pattern: '^[A-Z_]{1,64}=[1-9][0-9]{0,7}$' },
          description: 'Limits for further types, as TYPE=EVENTS_PER_DAY: HEARTBEAT=2000 (events per day).',
        },
        criticalMultiple: {
          type: 'number',
          default: 10,
          minimum: 1,
          maximum: 1000,
          description: 'From how many times its limit a storm is critical (×).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'guide-detect-iot-fraud, step 4',
    limits: "Only as good as what the customer's platform reports. Routine events (heartbeats) need a limit of their own in typeLimits.",
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const storm = draft.kind('DEVICE_EVENT_STORM');
    const limitOf = limitsByCode(input.columns, options);
    for (const sim of subjects(input.columns.subject, input.rows)) {
      for (const [type, { total, lastRow }] of totalsByType(input.columns, sim)) {
        const score = total / limitOf(type);
        storm.judge(lastRow, score, score >= options.criticalMultiple ? 2 : score >= 1 ? 1 : 0);
      }
    }
    return draft.detection();
  },

  explain(input, rows, { options }) {
    const { subject, eventType } = input.columns;
    const limitOf = limitsByCode(input.columns, options);
    return rows.map(({ row }): Evidence[] => {
      let from = row;
      while (from > 0 && subject[from - 1] === subject[row]) from -= 1;
      const code = eventType.codes[row]!;
      const { total } = totalsByType(input.columns, { from, to: row + 1 }).get(code) ?? { total: 0 };
      const limit = limitOf(code);
      const text = `${countInWords(total, `${nameAt(eventType, row) ?? 'unknown'} event`)} today, ${multipleInWords(total / limit)} the limit of ${limit}`;
      return [{ column: 'eventCount', observed: total, expected: limit, unit: 'events', weight: 1, text }];
    });
  },
});

/** Sums per type code, with the last row of each: the row that carries the verdict. */
function totalsByType(columns: Columns, sim: SubjectRows): Map<number, { total: number; lastRow: number }> {
  const totals = new Map<number, { total: number; lastRow: number }>();
  const { codes, names } = columns.eventClass;
  for (let row = sim.from; row < sim.to; row++) {
    if (names[codes[row]!] !== 'DEVICE') continue;
    const count = columns.eventCount[row]! >= 0 ? columns.eventCount[row]! : 1;
    const type = columns.eventType.codes[row]!;
    totals.set(type, { total: (totals.get(type)?.total ?? 0) + count, lastRow: row });
  }
  return totals;
}

function limitsByCode(columns: Columns, options: Limits): (code: number) => number {
  const byType = new Map<string, number>([
    ['REBOOT', options.rebootsPerDay],
    ['TLS_ERROR', options.tlsErrorsPerDay],
    ['RETRY_LOOP', options.retryLoopsPerDay],
    ...options.typeLimits.map((entry) => entry.split('=') as [string, string]).map(([type, limit]) => [type, Number(limit)] as const),
  ]);
  return (code) => byType.get(columns.eventType.names[code] ?? '') ?? options.otherEventsPerDay;
}
