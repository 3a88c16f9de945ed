/** Checks what a detector answered before anything of it is believed: shape, range, finite numbers. */
import { evidenceUnits, type Detection, type DetectorMeta, type Evidence } from '../../detector';

type Meta = Pick<DetectorMeta<never>, 'kinds'>;

/** What a detection says of one (row, kind). */
export interface CheckedDetection {
  readonly scores: Float64Array;
  readonly fires: Uint8Array;
  /** rows × kinds: 1 where the detector abstained. */
  readonly abstained: Uint8Array;
}

/** Throws with what was expected and what came. */
export function checkDetection(meta: Meta, rows: number, answer: Detection): CheckedDetection {
  const cells = rows * meta.kinds.length;
  if (typeof answer !== 'object' || answer === null) throw new Error(`expected a detection, got ${String(answer)}`);
  const { scores, fires } = answer;
  if (!(scores instanceof Float64Array) || scores.length !== cells)
    throw new Error(`expected scores as a Float64Array of ${cells}, got ${shapeOf(scores)}`);
  if (!(fires instanceof Uint8Array) || fires.length !== cells)
    throw new Error(`expected fires as a Uint8Array of ${cells}, got ${shapeOf(fires)}`);
  const abstained = checkAbstentions(meta, rows, answer.abstained ?? []);
  for (let cell = 0; cell < cells; cell++) {
    if (fires[cell]! > 2) throw new Error(`expected fires of 0, 1 or 2, got ${fires[cell]} at row ${Math.floor(cell / meta.kinds.length)}`);
    if (!Number.isFinite(scores[cell]) && abstained[cell] === 0) {
      throw new Error(`expected a finite score, got ${scores[cell]} at row ${Math.floor(cell / meta.kinds.length)}, which did not abstain`);
    }
  }
  return { scores, fires, abstained };
}

function checkAbstentions(meta: Meta, rows: number, given: NonNullable<Detection['abstained']>): Uint8Array {
  if (!Array.isArray(given)) throw new Error(`expected abstained as a list, got ${shapeOf(given)}`);
  const abstained = new Uint8Array(rows * meta.kinds.length);
  for (const { row, kind } of given) {
    if (!Number.isInteger(row) || row < 0 || row >= rows)
      throw new Error(`expected abstained rows from 0 to ${rows - 1}, got ${String(row)}`);
    if (kind === undefined) abstained.fill(1, row * meta.kinds.length, (row + 1) * meta.kinds.length);
    else {
      const index = meta.kinds.findIndex((declared) => declared.id === kind);
      if (index < 0) throw new Error(`expected an abstention of a declared kind, got ${String(kind)}`);
      abstained[row * meta.kinds.length + index] = 1;
    }
  }
  return abstained;
}

const EVIDENCE_TEXT_LENGTH = 1000;
const MOST_REASONS = 50;

export function checkEvidence(asked: number, answer: Evidence[][]): Evidence[][] {
  if (!Array.isArray(answer) || answer.length !== asked) throw new Error(`expected evidence for ${asked} rows, got ${shapeOf(answer)}`);
  return answer.map((list) => {
    if (!Array.isArray(list) || list.length > MOST_REASONS)
      throw new Error(`expected a list of evidence of at most ${MOST_REASONS}, got ${shapeOf(list)}`);
    return list.map(checkOne);
  });
}

function checkOne(evidence: Evidence): Evidence {
  const { column, observed, expected, unit, weight, text } = evidence;
  for (const [name, value] of [
    ['observed', observed],
    ['expected', expected],
  ] as const) {
    const fits = value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
    if (!fits) throw new Error(`expected evidence with a finite number, a text or null as ${name}, got ${String(value)}`);
  }
  if (typeof column !== 'string' || typeof text !== 'string') throw new Error('expected evidence with a column and a text');
  if (!(evidenceUnits as readonly string[]).includes(unit))
    throw new Error(`expected an evidence unit of ${evidenceUnits.join(', ')}, got ${String(unit)}`);
  if (!(weight >= 0 && weight <= 1)) throw new Error(`expected an evidence weight from 0 to 1, got ${String(weight)}`);
  return { column: storable(column), observed: value(observed), expected: value(expected), unit, weight, text: storable(text) };
}

function value(given: number | string | null): number | string | null {
  return typeof given === 'string' ? storable(given) : given;
}

/** Bounded, well-formed and without U+0000, which the database would refuse. */
export function storable(text: string): string {
  return text.slice(0, EVIDENCE_TEXT_LENGTH).toWellFormed().replaceAll('\u0000', '\uFFFD');
}

function shapeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value !== 'object') return `${typeof value} ${JSON.stringify(value)?.slice(0, 60) ?? ''}`.trim();
  const { length } = value as { length?: unknown };
  return `${value.constructor?.name ?? 'an object'}${typeof length === 'number' ? ` of ${length}` : ''}`;
}
