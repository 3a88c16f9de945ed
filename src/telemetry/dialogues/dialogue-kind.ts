/** What a dialogue is: its columns and what makes one valid. The reader of single rows; files take dialogue-line.ts, which agrees with it. */
import { normaliseImsi } from '../../fleet';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../dialogue-codes';
import { isRowError, optional, readColumns, required, rowError, type RowError, type ValuesOf } from '../parsing/column';
import type { RowKind } from '../parsing/rows';
import { instant, oneOf, plmn, textUpTo, wholeNumber } from '../parsing/values';
import { AHEAD_MILLISECONDS, DAY_MILLISECONDS } from '../record-kind';

/** How long dialogues are kept. */
export const DIALOGUE_RETAINED_DAYS = 62;
/** Longest name of a network node. */
export const MOST_NODE_CHARACTERS = 100;
const MOST_INT4 = 2_147_483_647;

const imsi = { expected: 'an IMSI of 6 to 15 digits', parse: (text: string): string | undefined => normaliseImsi(text) ?? undefined };

const trueOrFalse = {
  expected: 'true or false',
  parse: (text: string): boolean | undefined => (text === 'true' ? true : text === 'false' ? false : undefined),
  takesBooleans: true,
};

export const dialogueColumns = {
  imsi: required(imsi),
  started_at: required(instant),
  duration_ms: optional(wholeNumber(0, MOST_INT4)),
  protocol: required(oneOf(PROTOCOLS)),
  procedure: required(oneOf(PROCEDURES)),
  origin: required(oneOf(ORIGINS)),
  outcome: required(oneOf(OUTCOMES)),
  result_code: optional(wholeNumber(0, MOST_INT4)),
  visited_plmn: optional(plmn),
  node: optional(textUpTo(MOST_NODE_CHARACTERS)),
  cancellation_type: optional(oneOf(CANCELLATION_TYPES)),
  format_violation: optional(trueOrFalse),
};

export type DialogueColumn = keyof typeof dialogueColumns;
export type DialogueValues = ValuesOf<typeof dialogueColumns>;

export const dialogueKind: RowKind<DialogueValues> & { readonly name: 'dialogues' } = {
  name: 'dialogues',
  columns: dialogueColumns,
  read(text, now) {
    const values = readColumns(dialogueColumns, text);
    return isRowError(values) ? values : (timeError(values.started_at, now) ?? values);
  },
};

/** The first and last instant that is taken at this time. */
export function takenTimes(now: number): { readonly from: number; readonly to: number } {
  return { from: now - DIALOGUE_RETAINED_DAYS * DAY_MILLISECONDS, to: now + AHEAD_MILLISECONDS };
}

function timeError(startedAt: number, now: number): RowError | null {
  const { from, to } = takenTimes(now);
  if (startedAt > to) return rowError('TIME_IN_FUTURE', { given: new Date(startedAt).toISOString() });
  if (startedAt < from) return rowError('TIME_TOO_OLD', { given: new Date(startedAt).toISOString(), days: DIALOGUE_RETAINED_DAYS });
  return null;
}
