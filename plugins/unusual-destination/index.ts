/** Finds traffic to places where no device of the family goes: malware, a botnet, a SIM used for something else. */
import {
  bytesInWords,
  countInWords,
  defineDetector,
  DetectionDraft,
  nameAt,
  subjects,
  type ColumnsOf,
  type Evidence,
  type Kind,
  type SubjectRows,
} from 'simwarden/detector';

const kinds = [
  {
    id: 'UNUSUAL_DESTINATION',
    title: "Traffic to a destination that the SIM's family does not use",
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
] as const satisfies readonly Kind[];

const needs = [
  'subject',
  'destination',
  'destinationAllowed',
  'destinationFamilySims',
  'familySims',
  'uplinkBytes',
  'downlinkBytes',
] as const;
type Columns = ColumnsOf<(typeof needs)[number]>;

export default defineDetector({
  meta: {
    id: 'unusual-destination',
    version: '1.0.0',
    contract: 1,
    title: 'Unusual destinations',
    summary: "Holds the destinations of a SIM's traffic against its list; without a list, against what its family used in 28 days.",
    input: 'events',
    needs,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        allowedDestinations: {
          type: 'array',
          default: [],
          maxItems: 1000,
          items: { type: 'string', pattern: '^[a-zA-Z0-9.:_-]{1,253}$' },
          description: 'Host names, IPs or AS numbers (AS64500) that the SIMs may use; empty = no list. The host turns it into the column.',
        },
        minimumBytes: {
          type: 'number',
          default: 10_000,
          minimum: 0,
          description: 'Traffic to the destination on the day below which it does not matter (bytes).',
        },
        minimumFamilySims: {
          type: 'integer',
          default: 5,
          minimum: 1,
          maximum: 1_000_000,
          description: 'How many SIMs of the family must be known before its habit counts (SIMs).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'guide-detect-iot-fraud, step 6 ("traffic to weird destinations")',
    limits: 'Needs destinations in usage records. A new back end, or addresses that rotate, alarm for every SIM until they are listed.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const unusual = draft.kind('UNUSUAL_DESTINATION');
    const at = input.columns;
    for (const sim of subjects(at.subject, input.rows)) {
      let known = false;
      for (const [, { bytes, row }] of traffic(at, sim)) known = judge(row, bytes) || known;
      for (let row = sim.from; !known && row < sim.to; row++) {
        unusual.abstain(row, 'no destination is known, or the family has too little history to know its habit');
      }
    }
    return draft.detection();

    /** Whether the destination could be judged. */
    function judge(row: number, bytes: number): boolean {
      const enough = bytes >= options.minimumBytes;
      if (!Number.isNaN(at.destinationAllowed[row]!)) {
        if (at.destinationAllowed[row] === 0) unusual.judge(row, enough ? 2 : 0.5, enough ? 2 : 0);
        return true;
      }
      const others = at.destinationFamilySims[row]!;
      if (Number.isNaN(others) || !(at.familySims[row]! >= options.minimumFamilySims)) return false;
      // From the second day on the SIM itself is one of the family's users: it must not clear its own alert.
      const usual = unusual.wasFiring(row) ? 1 : 0;
      const stranger = others <= usual;
      unusual.judge(row, stranger ? (enough ? 1 : 0.5) : 0, stranger && enough ? 1 : 0);
      return true;
    }
  },

  explain(input, rows) {
    const at = input.columns;
    return rows.map(({ row }): Evidence[] => {
      let from = row;
      while (from > 0 && at.subject[from - 1] === at.subject[row]) from -= 1;
      const bytes = traffic(at, { from, to: row + 1 }).get(at.destination.codes[row]!)?.bytes ?? NaN;
      const amount: Evidence = {
        column: 'uplinkBytes',
        observed: Number.isNaN(bytes) ? null : bytes,
        expected: null,
        unit: 'bytes',
        weight: 0.3,
        text: `${bytesInWords(bytes)} up and down today`,
      };
      return [whereEvidence(at, row), amount];
    });
  },
});

/** Bytes per destination of a SIM's day, with the last row of each: the row that carries the verdict. */
function traffic(columns: Columns, sim: SubjectRows): Map<number, { bytes: number; row: number }> {
  const totals = new Map<number, { bytes: number; row: number }>();
  for (let row = sim.from; row < sim.to; row++) {
    const destination = columns.destination.codes[row]!;
    if (destination < 0) continue;
    const bytes = (columns.uplinkBytes[row]! || 0) + (columns.downlinkBytes[row]! || 0);
    totals.set(destination, { bytes: (totals.get(destination)?.bytes ?? 0) + bytes, row });
  }
  return totals;
}

function whereEvidence(columns: Columns, row: number): Evidence {
  const destination = nameAt(columns.destination, row);
  if (columns.destinationAllowed[row] === 0) {
    const text = `traffic to ${destination ?? 'a destination'}, which is not on the list of allowed destinations`;
    return { column: 'destination', observed: destination, expected: 'a destination on the list', unit: '', weight: 0.7, text };
  }
  const others = columns.destinationFamilySims[row]!;
  const text = `traffic to ${destination ?? 'a destination'}, used by ${countInWords(others, 'SIM')} of the family's ${columns.familySims[row]} in the 28 days before`;
  return { column: 'destinationFamilySims', observed: others, expected: null, unit: 'SIMs', weight: 0.7, text };
}
