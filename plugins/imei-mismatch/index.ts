/** Finds SIMs that sit in another device than they should, and SIMs that were taken out of theirs. */
import {
  codeOf,
  defineDetector,
  DetectionDraft,
  durationInWords,
  nameAt,
  subjects,
  type ColumnsOf,
  type Evidence,
  type Kind,
  type SubjectRows,
} from 'simwarden/detector';

const kinds = [
  {
    id: 'IMEI_CHANGED',
    title: 'The SIM is in another device of the same model',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
  {
    id: 'TAC_CHANGED',
    title: 'The SIM is in another kind of device',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
  {
    id: 'SOFTWARE_VERSION_CHANGED',
    title: 'The device reports another software version',
    severity: 'INFO',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
  {
    id: 'SIM_DETACHED',
    title: 'The SIM detached and was not seen again',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'CLOSED_DAY',
  },
] as const satisfies readonly Kind[];

const needs = [
  'subject',
  'eventClass',
  'eventType',
  'secondOfDay',
  'secondsSincePrevious',
  'secondsUntilNext',
  'imeiMatch',
  'imeiChange',
  'eventDayClosed',
  'eventBlockedByUs',
] as const;
type Columns = ColumnsOf<(typeof needs)[number]>;

const DAY_SECONDS = 86_400;
/** A day closes when every source is this far past it: until then "not seen again" is known. */
const CLOSING_DELAY_SECONDS = 6 * 3600;

/** What an observed IMEI says: against the bound ones, or, where nothing is bound, against the one before. */
type Sighting = 'UNKNOWN' | 'SAME' | 'SOFTWARE_VERSION' | 'SERIAL' | 'TAC';

export default defineDetector({
  meta: {
    id: 'imei-mismatch',
    version: '1.0.0',
    contract: 1,
    title: 'SIM in another device',
    summary:
      'Compares each observed IMEI with the bound ones (or the one seen before) and tells a new serial, model, software version and a detached SIM apart.',
    input: 'events',
    needs,
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        withoutBinding: {
          type: 'boolean',
          default: true,
          description: 'Where no IMEI is bound, compare with the IMEI seen before, as a warning instead of critical (true or false).',
        },
        detachedHours: {
          type: 'number',
          default: 6,
          minimum: 1,
          maximum: 30,
          description: 'How long a SIM must be gone after its last detachment (hours).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference:
      'guide-detect-iot-fraud, FAQ; article-rogue-sims ("detached from the device it was originally installed to"); 3GPP TS 23.003 section 6',
    limits:
      'Sees only IMEIs that networks report; a thief who clones the IMEI is not seen. Without a binding a swap is a warning on the day it happens only.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const serial = draft.kind('IMEI_CHANGED');
    const model = draft.kind('TAC_CHANGED');
    const software = draft.kind('SOFTWARE_VERSION_CHANGED');
    const detached = draft.kind('SIM_DETACHED');
    const read = sightings(input.columns, options.withoutBinding);
    for (const sim of subjects(input.columns.subject, input.rows)) {
      let known = false;
      for (let row = sim.from; row < sim.to; row++) {
        const { sighting, bound } = read(row);
        known ||= sighting !== 'UNKNOWN';
        const level = bound ? 2 : 1;
        if (sighting === 'TAC') model.judge(row, level, level);
        else if (sighting === 'SERIAL') serial.judge(row, level, level);
        else if (sighting === 'SOFTWARE_VERSION') software.judge(row, 1, 1);
      }
      // Unknown is neither match nor mismatch: with no known IMEI all day, nothing is raised and nothing is cleared.
      for (let row = sim.from; !known && row < sim.to; row++) {
        for (const kind of [serial, model, software]) kind.abstain(row, 'no IMEI is known to compare');
      }
      judgeDetachment(sim);
    }
    return draft.detection();

    function judgeDetachment(sim: SubjectRows): void {
      const last = sim.to - 1;
      const at = input.columns;
      if (at.eventDayClosed[last] !== 1) abstainAll(sim, 'the day is not closed');
      else if (at.eventBlockedByUs[last] === 1) abstainAll(sim, 'we blocked the SIM');
      else if (
        nameAt(at.eventClass, last) === 'CONNECTION' &&
        nameAt(at.eventType, last) === 'DETACHED' &&
        Number.isNaN(at.secondsUntilNext[last]!)
      ) {
        const gone = secondsGone(at, last);
        const needed = options.detachedHours * 3600;
        // A SIM that has paused as long before (a device that wakes once a day) is in its habit.
        const usualPause = longestPause(at, sim);
        if (gone >= 0) detached.judge(last, gone / needed, gone >= needed && gone > usualPause ? 1 : 0);
      }
    }

    function abstainAll(sim: SubjectRows, reason: string): void {
      for (let row = sim.from; row < sim.to; row++) detached.abstain(row, reason);
    }
  },

  explain(input, rows, { options }) {
    const read = sightings(input.columns, options.withoutBinding);
    return rows.map(({ row, kind }): Evidence[] => [
      kind === 'SIM_DETACHED' ? detachmentEvidence(input.columns, row) : sightingEvidence(read(row)),
    ]);
  },
});

/** Reads a row's IMEI verdict by codes; names are looked up once. */
function sightings(columns: Columns, withoutBinding: boolean): (row: number) => { sighting: Sighting; bound: boolean } {
  const byName: Readonly<Record<string, Sighting>> = {
    MATCH: 'SAME',
    SAME: 'SAME',
    SOFTWARE_VERSION: 'SOFTWARE_VERSION',
    SERIAL: 'SERIAL',
    TAC: 'TAC',
  };
  const matches = columns.imeiMatch.names.map((name) => byName[name] ?? 'UNKNOWN');
  const changes = columns.imeiChange.names.map((name) => byName[name] ?? 'UNKNOWN');
  return (row) => {
    const match = matches[columns.imeiMatch.codes[row]!];
    if (match !== undefined && match !== 'UNKNOWN') return { sighting: match, bound: true };
    const change = withoutBinding ? changes[columns.imeiChange.codes[row]!] : undefined;
    return { sighting: change ?? 'UNKNOWN', bound: false };
  };
}

function secondsGone(columns: Columns, row: number): number {
  return DAY_SECONDS - columns.secondOfDay[row]! + CLOSING_DELAY_SECONDS;
}

function longestPause(columns: Columns, sim: SubjectRows): number {
  let longest = 0;
  const connection = codeOf(columns.eventClass, 'CONNECTION');
  for (let row = sim.from; row < sim.to; row++) {
    if (columns.eventClass.codes[row] === connection && columns.secondsSincePrevious[row]! > longest)
      longest = columns.secondsSincePrevious[row]!;
  }
  return longest;
}

function sightingEvidence({ sighting, bound }: { sighting: Sighting; bound: boolean }): Evidence {
  const against = bound ? 'than the bound one' : 'than the one seen before (no IMEI is bound)';
  const text =
    sighting === 'TAC'
      ? `an IMEI of another modem model ${against}`
      : sighting === 'SERIAL'
        ? `an IMEI of the same modem model with another serial number ${against}`
        : 'the same IMEI with another software version: a firmware update, not a swap';
  return { column: bound ? 'imeiMatch' : 'imeiChange', observed: sighting, expected: bound ? 'MATCH' : 'SAME', unit: '', weight: 1, text };
}

function detachmentEvidence(columns: Columns, row: number): Evidence {
  const text = `detached as the last event of the day and not seen for ${durationInWords(secondsGone(columns, row))}`;
  return { column: 'secondsUntilNext', observed: null, expected: null, unit: 'seconds', weight: 1, text };
}
