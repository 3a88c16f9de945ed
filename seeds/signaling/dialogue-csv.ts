/** Dialogues as the bytes of their CSV file: written digit by digit into one buffer, never a string per row. */
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../../src/telemetry/dialogue-codes';
import type { SignalingClient } from './clients';
import { dayStartOf, packedRows, type DialogueOrder } from './dialogues';
import { nodes } from './networks';
import { KINDS, unpackKind, WORDS } from './packed-rows';
import { clientOf, type SignalingPopulation } from './population';

const dialogueColumns = [
  'imsi',
  'started_at',
  'duration_ms',
  'protocol',
  'procedure',
  'origin',
  'outcome',
  'result_code',
  'visited_plmn',
  'node',
  'cancellation_type',
  'format_violation',
] as const;

const ROOM = 1 << 20;
const LONGEST_ROW = 320;
const COMMA = 44;
const ZERO = 48;

/** The header and the rows of one day, counted from 0, in blocks of whole lines of about a megabyte; a block is only valid until the next. */
export function* dialogueCsv(population: SignalingPopulation, day: number, options: DialogueOrder = {}): Generator<Uint8Array> {
  const writer = new LineWriter(population, dayStartOf(population, day));
  yield Buffer.from(`${dialogueColumns.join(',')}\n`);
  for (const rows of packedRows(population, day, options)) {
    for (let at = 0; at < rows.rows * WORDS; at += WORDS) {
      writer.line(rows.words, at);
      if (writer.length > ROOM - LONGEST_ROW) yield writer.take();
    }
  }
  if (writer.length > 0) yield writer.take();
}

/** Texts one after another, found by their place. */
class Snippets {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;

  constructor(texts: readonly string[]) {
    this.bytes = Buffer.from(texts.join(''), 'latin1');
    this.starts = new Uint32Array(texts.length + 1);
    texts.forEach((text, place) => (this.starts[place + 1] = this.starts[place]! + text.length));
  }
}

const kinds = Array.from({ length: KINDS }, (_, code) => unpackKind(code));
/** `,MAP,SAI,VLR,SUCCESS,` */
const heads = new Snippets(
  kinds.map(
    (kind) => `,${PROTOCOLS[kind.protocol]},${PROCEDURES[kind.procedure] ?? ''},${ORIGINS[kind.origin]},${OUTCOMES[kind.outcome]},`,
  ),
);
/** `,UPDATE_PROCEDURE,false` and the end of the line. */
const tails = new Snippets(
  kinds.map((kind) => `,${CANCELLATION_TYPES[kind.cancellation - 1] ?? ''},${kind.formatViolation ? 'true' : 'false'}\n`),
);
/** `,214-07,34619000010` */
const places = new Snippets(nodes.map((node) => `,${node.plmn},${node.name}`));

class LineWriter {
  length = 0;
  private readonly buffer = new Uint8Array(ROOM);
  private readonly datePart: Uint8Array;
  private client: SignalingClient;
  private imsiPrefix: number;

  constructor(
    private readonly population: SignalingPopulation,
    dayStart: number,
  ) {
    this.datePart = Buffer.from(`,${new Date(dayStart).toISOString().slice(0, 11)}`);
    this.client = population.clients[0]!;
    this.imsiPrefix = Number(this.client.imsiPrefix);
  }

  take(): Uint8Array {
    const lines = this.buffer.subarray(0, this.length);
    this.length = 0;
    return lines;
  }

  line(words: Uint32Array, at: number): void {
    const sim = words[at]!;
    const answer = words[at + 2]!;
    const place = words[at + 3]!;
    const kind = place & (KINDS - 1);
    this.imsi(sim);
    this.time(words[at + 1]!);
    this.buffer[this.length++] = COMMA;
    this.number(answer >>> 16);
    this.snippet(heads, kind);
    if ((answer & 0xffff) !== 0) this.number(answer & 0xffff);
    this.snippet(places, place >>> 16);
    this.snippet(tails, kind);
  }

  private imsi(sim: number): void {
    if (sim < this.client.first || sim >= this.client.first + this.client.sims) {
      this.client = clientOf(this.population, sim);
      this.imsiPrefix = Number(this.client.imsiPrefix);
    }
    const rest = this.client.imsiBase + sim;
    const high = Math.floor(rest / 100_000);
    this.fixed(this.imsiPrefix, 5);
    this.fixed(high, 5);
    this.fixed(rest - high * 100_000, 5);
  }

  private time(millisecond: number): void {
    this.buffer.set(this.datePart, this.length);
    this.length += this.datePart.length;
    const second = Math.floor(millisecond / 1000);
    this.fixed(Math.floor(second / 3600), 2);
    this.buffer[this.length++] = 58;
    this.fixed(Math.floor(second / 60) % 60, 2);
    this.buffer[this.length++] = 58;
    this.fixed(second % 60, 2);
    this.buffer[this.length++] = 46;
    this.fixed(millisecond - second * 1000, 3);
    this.buffer[this.length++] = 90;
  }

  private number(value: number): void {
    this.fixed(value, value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5);
  }

  /** Below 100,000. */
  private fixed(value: number, digits: number): void {
    let rest = value | 0;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tenth = (rest / 10) | 0;
      this.buffer[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.length += digits;
  }

  private snippet(snippets: Snippets, place: number): void {
    const { bytes, starts } = snippets;
    const end = starts[place + 1]!;
    let to = this.length;
    for (let at = starts[place]!; at < end; at++) this.buffer[to++] = bytes[at]!;
    this.length = to;
  }
}
