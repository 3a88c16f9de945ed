/** A day's dialogues SIM by SIM in time order: a stable counting sort by SIM, and a sort of those SIMs only whose dialogues came out of order. */
import { WORDS, type PackedDialogues } from './packed-dialogues';

export interface SortedDialogues {
  readonly words: Int32Array;
  /** Dialogues of SIM `s` are rows offsets[s] to offsets[s + 1]. */
  readonly offsets: Int32Array;
}

/** Longer groups are merge-sorted: late rows come in runs, which insertion handles well only while they are short. */
const INSERTION_ROWS = 48;

export function sortBySim(dialogues: Pick<PackedDialogues, 'words' | 'sims' | 'rows'>, simCount: number): SortedDialogues {
  const { words, sims, rows } = dialogues;
  const offsets = new Int32Array(simCount + 1);
  for (let row = 0; row < rows; row++) offsets[sims[row]! + 1]! += 1;
  for (let sim = 0; sim < simCount; sim++) offsets[sim + 1]! += offsets[sim]!;
  const next = offsets.slice(0, simCount);
  const sorted = new Int32Array(rows * WORDS);
  for (let row = 0; row < rows; row++) {
    const sim = sims[row]!;
    const to = next[sim]! * WORDS;
    next[sim]! += 1;
    const from = row * WORDS;
    sorted[to] = words[from]!;
    sorted[to + 1] = words[from + 1]!;
    sorted[to + 2] = words[from + 2]!;
    sorted[to + 3] = words[from + 3]!;
  }
  for (let sim = 0; sim < simCount; sim++) sortGroup(sorted, offsets[sim]!, offsets[sim + 1]!);
  return { words: sorted, offsets };
}

/** Dialogues of one millisecond stand in an order of their content, repeats side by side: what comes out is the same whatever came first. */
function sortGroup(words: Int32Array, from: number, to: number): void {
  let row = from + 1;
  // Strictly ascending milliseconds: nothing to do, and so it is nearly always.
  while (row < to && words[row * WORDS]! >> 4 > words[(row - 1) * WORDS]! >> 4) row += 1;
  if (row >= to) return;
  if (to - from <= INSERTION_ROWS) insertionSort(words, from, to);
  else indexSort(words, from, to);
}

function insertionSort(words: Int32Array, from: number, to: number): void {
  for (let row = from + 1; row < to; row++) {
    if (compareRows(words, (row - 1) * WORDS, row * WORDS) <= 0) continue;
    const at = row * WORDS;
    const [first, second, third, last] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    let hole = row;
    while (hole > from && compareTo(words, (hole - 1) * WORDS, first, second, third, last) > 0) {
      words.copyWithin(hole * WORDS, (hole - 1) * WORDS, hole * WORDS);
      hole -= 1;
    }
    words[hole * WORDS] = first;
    words[hole * WORDS + 1] = second;
    words[hole * WORDS + 2] = third;
    words[hole * WORDS + 3] = last;
  }
}

function indexSort(words: Int32Array, from: number, to: number): void {
  const group = words.slice(from * WORDS, to * WORDS);
  const order = Uint32Array.from({ length: to - from }, (_, index) => index * WORDS).sort((a, b) => compareRows(group, a, b));
  for (let index = 0; index < order.length; index++) {
    const source = order[index]!;
    words.set(group.subarray(source, source + WORDS), (from + index) * WORDS);
  }
}

function compareRows(words: Int32Array, a: number, b: number): number {
  return compareTo(words, a, words[b]!, words[b + 1]!, words[b + 2]!, words[b + 3]!);
}

/** By millisecond, then node, then network, then whatever else differs. */
function compareTo(words: Int32Array, at: number, first: number, second: number, third: number, last: number): number {
  const own = words[at]!;
  return (
    (own >> 4) - (first >> 4) || compare(words[at + 2]!, third) || words[at + 1]! - second || own - first || compare(words[at + 3]!, last)
  );
}

/** Node ids and pairs use all 32 bits: their difference could overflow nothing in float64, but would not be an int32 any more. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
