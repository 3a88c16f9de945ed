/** Rows of dialogues-….csv, packed day by day for the features. */
import { DAY_MILLISECONDS, dayOf, type Day } from '../../detection/days';
import { PackedDialogues } from '../../detection/features/packed-dialogues';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, plmnCode, PROCEDURES, PROTOCOLS } from '../../telemetry/dialogue-codes';
import { fieldAt, type Columns, type Places } from './csv-rows';
import { instantOf } from './instant';
import type { Inventory } from './inventory';

export const dialogueColumns = {
  needed: ['imsi', 'started_at', 'protocol', 'procedure', 'origin', 'outcome'],
  others: ['duration_ms', 'result_code', 'visited_plmn', 'node', 'cancellation_type', 'format_violation'],
} as const satisfies Columns<string>;

export type DialogueColumn = (typeof dialogueColumns)[keyof typeof dialogueColumns][number];

export class DialogueDays {
  passedOver = 0;
  /** By the day's number since the epoch. */
  private readonly packed = new Map<number, PackedDialogues>();
  private readonly nodeNumbers = new Map<string, number>();
  private readonly protocol = codesOf(PROTOCOLS);
  private readonly procedure = codesOf(PROCEDURES);
  private readonly origin = codesOf(ORIGINS);
  private readonly outcome = codesOf(OUTCOMES);
  private readonly cancellationType = codesOf(CANCELLATION_TYPES);
  private readonly plmn = remembered(plmnOf);

  constructor(private readonly inventory: Inventory) {}

  /** Passes over what can't be a dialogue of a known SIM. */
  add(row: readonly string[] | null, places: Places<DialogueColumn>): void {
    if (row === null || !this.addDialogue(row, places)) this.passedOver += 1;
  }

  /** In the order of time; each day is let go as it is taken. */
  *take(): Generator<[Day, PackedDialogues]> {
    for (const number of [...this.packed.keys()].sort((one, other) => one - other)) {
      yield [dayOf(number * DAY_MILLISECONDS), this.packed.get(number)!];
      this.packed.delete(number);
    }
  }

  private addDialogue(row: readonly string[], places: Places<DialogueColumn>): boolean {
    const sim = this.inventory.sim(fieldAt(row, places.imsi));
    if (sim === undefined) return false;
    const startedAt = instantOf(fieldAt(row, places.started_at));
    const protocol = this.protocol(fieldAt(row, places.protocol));
    const procedure = this.procedure(fieldAt(row, places.procedure));
    const origin = this.origin(fieldAt(row, places.origin));
    const outcome = this.outcome(fieldAt(row, places.outcome));
    if (startedAt === null || protocol === 0 || procedure === 0 || origin === 0 || outcome === 0) return false;
    const node = fieldAt(row, places.node);
    const formatViolation = fieldAt(row, places.format_violation);
    const day = Math.floor(startedAt / DAY_MILLISECONDS);
    this.packedOf(day).add(sim, {
      millisecond: startedAt - day * DAY_MILLISECONDS,
      durationMs: wholeNumber(fieldAt(row, places.duration_ms)),
      protocol,
      procedure,
      origin,
      outcome,
      resultCode: wholeNumber(fieldAt(row, places.result_code)),
      plmn: this.plmn(fieldAt(row, places.visited_plmn)),
      nodeId: node === '' ? null : this.nodeNumber(node),
      cancellationType: this.cancellationType(fieldAt(row, places.cancellation_type)) || null,
      formatViolation: formatViolation === 'true' || formatViolation === '1',
    });
    return true;
  }

  private packedOf(day: number): PackedDialogues {
    let packed = this.packed.get(day);
    if (packed === undefined) this.packed.set(day, (packed = new PackedDialogues(65_536)));
    return packed;
  }

  private nodeNumber(name: string): number {
    let number = this.nodeNumbers.get(name);
    if (number === undefined) this.nodeNumbers.set(name, (number = this.nodeNumbers.size + 1));
    return number;
  }
}

/** Spellings of one column that are remembered: more of them are no spellings of a few words. */
const MOST_SPELLINGS = 10_000;

/** Files say the same few words over and over: each spelling is understood once. */
function remembered<Value>(understand: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    let value = known.get(text);
    if (value !== undefined) return value;
    value = understand(text);
    if (known.size < MOST_SPELLINGS) known.set(text, value);
    return value;
  };
}

/** 0 for what is none of the names. */
function codesOf(names: readonly string[]): (text: string) => number {
  return remembered((text) => names.indexOf(text.trim().toUpperCase()) + 1);
}

function plmnOf(text: string): number | null {
  const plmn = /^\s*(\d{3})-?(\d{2,3})\s*$/.exec(text);
  return plmn && plmnCode(`${plmn[1]}-${plmn[2]}`);
}

function wholeNumber(text: string): number | null {
  return text !== '' && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
