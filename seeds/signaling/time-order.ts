/** Rows in the order of time: in memory while they fit, else spread over temporary files by the time of day and sorted one file at a time. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PackedRows, WORDS } from './packed-rows';

const DAY_MS = 86_400_000;
const BYTES = WORDS * 4;
/** 16 bytes a row, twice while it is sorted. */
const ROWS_IN_MEMORY = 8_000_000;
/** Stretches of the day, each with a file of its own once there are too many rows: 15 minutes. */
const STRETCHES = 96;

/** Equal times stay in the order they came in. */
export function* inTimeOrder(source: Iterable<PackedRows>, rowsInMemory = ROWS_IN_MEMORY): Generator<PackedRows> {
  const held = new PackedRows(1 << 18);
  let spill: Spill | null = null;
  try {
    for (const rows of source) {
      append(held, rows);
      if (held.rows < rowsInMemory) continue;
      spill ??= new Spill();
      spill.take(held);
      held.rows = 0;
    }
    if (!spill) {
      yield sorted(held);
      return;
    }
    spill.take(held);
    held.words = new Uint32Array(0);
    for (let stretch = 0; stretch < STRETCHES; stretch++) yield sorted(spill.read(stretch));
  } finally {
    spill?.close();
  }
}

class Spill {
  private readonly files: readonly number[];
  private readonly counts = new Uint32Array(STRETCHES);

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'simwarden-dialogues-'));
    this.files = Array.from({ length: STRETCHES }, (_, stretch) => openSync(join(directory, String(stretch)), 'w+'));
    // open files live on without their names, and go with the process however it ends
    rmSync(directory, { recursive: true });
  }

  take(rows: PackedRows): void {
    const ordered = sorted(rows);
    let first = 0;
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      const end = ((stretch + 1) * DAY_MS) / STRETCHES;
      let next = first;
      while (next < ordered.rows && ordered.words[next * WORDS + 1]! < end) next++;
      writeAll(this.files[stretch]!, new Uint8Array(ordered.words.buffer, first * BYTES, (next - first) * BYTES));
      this.counts[stretch]! += next - first;
      first = next;
    }
  }

  /** The parts of a stretch, one after another as they were taken. */
  read(stretch: number): PackedRows {
    const rows = new PackedRows(this.counts[stretch]!);
    rows.rows = this.counts[stretch]!;
    const bytes = new Uint8Array(rows.words.buffer);
    for (let at = 0; at < bytes.length;) {
      const read = readSync(this.files[stretch]!, bytes, at, Math.min(bytes.length - at, 1 << 26), at);
      if (read === 0) throw new Error(`expected ${bytes.length} bytes of spilled dialogues, got ${at}`);
      at += read;
    }
    return rows;
  }

  close(): void {
    for (const file of this.files) closeSync(file);
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 26));
}

function append(held: PackedRows, rows: PackedRows): void {
  const needed = (held.rows + rows.rows) * WORDS;
  if (needed > held.words.length) {
    const wider = new Uint32Array(Math.max(needed, held.words.length * 2));
    wider.set(held.words.subarray(0, held.rows * WORDS));
    held.words = wider;
  }
  held.words.set(rows.words.subarray(0, rows.rows * WORDS), held.rows * WORDS);
  held.rows += rows.rows;
}

const DIGIT_BITS = 14;
const DIGITS = 1 << DIGIT_BITS;

/** Radix sort by the millisecond, 27 bits in two digits: stable, and linear in the rows. */
function sorted(rows: PackedRows): PackedRows {
  const once = scattered(rows, 0);
  return scattered(once, DIGIT_BITS);
}

function scattered({ words, rows }: PackedRows, shift: number): PackedRows {
  const next = new Uint32Array(DIGITS + 1);
  for (let at = 1; at < rows * WORDS; at += WORDS) next[((words[at]! >>> shift) & (DIGITS - 1)) + 1]!++;
  for (let digit = 1; digit <= DIGITS; digit++) next[digit]! += next[digit - 1]!;
  const result = new PackedRows(rows);
  const target = result.words;
  for (let at = 0; at < rows * WORDS; at += WORDS) {
    let to = next[(words[at + 1]! >>> shift) & (DIGITS - 1)]!++ * WORDS;
    target[to++] = words[at]!;
    target[to++] = words[at + 1]!;
    target[to++] = words[at + 2]!;
    target[to] = words[at + 3]!;
  }
  result.rows = rows;
  return result;
}
