/** The bench's dialogues as the CSV that the ingest takes, and a parser of it by bytes: no string, no Date, no object per row. */
import { firstWord, PackedDialogues, secondWord, UNKNOWN } from '../../../src/detection/features/packed-dialogues';
import { ORIGINS, OUTCOMES, plmnText, PROCEDURES, PROTOCOLS } from '../../../src/telemetry/dialogue-codes';
import type { Row } from './population';

const HEADER =
  'imsi,started_at,duration_ms,protocol,procedure,origin,outcome,result_code,visited_plmn,node,cancellation_type,format_violation\n';
const FIRST_IMSI = 901_400_000_000_000;
const [COMMA, LINE_FEED, HYPHEN] = [0x2c, 0x0a, 0x2d];

export function csvOf(rows: readonly Row[], day: string): Buffer {
  const lines = rows.map((row) =>
    [
      FIRST_IMSI + row.simId,
      `${day}T${new Date(row.millisecond).toISOString().slice(11)}`,
      row.durationMs,
      PROTOCOLS[row.protocol - 1],
      PROCEDURES[row.procedure - 1],
      ORIGINS[row.origin - 1],
      OUTCOMES[row.outcome - 1],
      row.resultCode,
      row.plmn === null ? null : plmnText(row.plmn),
      `node-${row.nodeId}.example`,
      row.cancellationType === null ? null : 'UPDATE_PROCEDURE',
      row.formatViolation,
    ].join(','),
  );
  return Buffer.concat([Buffer.from(HEADER), ...chunked(lines, 10_000).map((chunk) => Buffer.from(`${chunk.join('\n')}\n`))]);
}

/** Parses what `csvOf` made. Names are told apart by their bytes: by length and one letter where that is enough, nodes by a table of their text. */
export function parseCsv(data: Buffer): PackedDialogues {
  const dialogues = new PackedDialogues(data.length >> 7);
  const nodes = new NodeNumbers(data);
  let at = data.indexOf(LINE_FEED) + 1;
  while (at < data.length) {
    let imsi = 0;
    for (const end = at + 15; at < end; at++) imsi = imsi * 10 + (data[at]! - 48);
    // ,2026-11-01T10:20:30.456Z,
    const clock = at + 12;
    const millisecond =
      (two(data, clock) * 3600 + two(data, clock + 3) * 60 + two(data, clock + 6)) * 1000 +
      (data[clock + 9]! - 48) * 100 +
      two(data, clock + 10);
    at += 26;
    let duration = 0;
    for (; data[at] !== COMMA; at++) duration = duration * 10 + (data[at]! - 48);
    const protocol = data[at + 1] === 0x4d ? 1 : 2;
    at += protocol === 1 ? 5 : 10;
    // SAI UL UL_GPRS CL PURGE NOTIFY
    const letter = data[at]!;
    let procedure = letter === 0x53 ? 1 : letter === 0x43 ? 4 : letter === 0x50 ? 5 : letter === 0x4e ? 6 : 2;
    const procedureStart = at;
    while (data[at] !== COMMA) at += 1;
    if (procedure === 2 && at - procedureStart > 2) procedure = 3;
    at += 1;
    const origin = data[at] === 0x56 ? 1 : data[at] === 0x53 ? 2 : data[at] === 0x4d ? 3 : 4;
    at += origin === 1 || origin === 3 ? 4 : 5;
    const outcome = data[at] === 0x53 ? 1 : data[at] === 0x52 ? 2 : data[at] === 0x45 ? 3 : 4;
    at += outcome === 2 ? 7 : outcome === 3 ? 6 : 8;
    let result = UNKNOWN;
    for (; data[at] !== COMMA; at++) result = Math.max(0, result) * 10 + (data[at]! - 48);
    at += 1;
    let plmn = UNKNOWN;
    if (data[at] !== COMMA) {
      const mcc = (data[at]! - 48) * 100 + two(data, at + 1);
      const three = data[at + 6] !== COMMA;
      if (data[at + 3] !== HYPHEN) throw new Error('expected MCC-MNC');
      const mnc = three ? (data[at + 4]! - 48) * 100 + two(data, at + 5) : two(data, at + 4);
      plmn = (mcc * 1000 + mnc) * 2 + (three ? 1 : 0);
      at += three ? 7 : 6;
    }
    at += 1;
    const nodeStart = at;
    while (data[at] !== COMMA) at += 1;
    const node = nodes.numberOf(nodeStart, at);
    at += 1;
    const cancellation = data[at] === COMMA ? 0 : data[at] === 0x55 ? 1 : 2;
    while (data[at] !== COMMA) at += 1;
    const violation = data[at + 1] === 0x74 ? 1 : 0;
    at += violation === 1 ? 6 : 7;
    dialogues.addPacked(
      dialogues.simOrdinal(imsi - FIRST_IMSI),
      firstWord(millisecond, origin, outcome),
      secondWord(plmn, protocol, procedure, cancellation, violation),
      node,
      dialogues.lastWord(duration, result),
    );
  }
  return dialogues;
}

function two(data: Buffer, at: number): number {
  return data[at]! * 10 + data[at + 1]! - 528;
}

/** Numbers from 1 for names of nodes, compared byte by byte. */
class NodeNumbers {
  private readonly slots = new Int32Array(1 << 16);
  private readonly starts: number[] = [0];
  private readonly ends: number[] = [0];

  constructor(private readonly data: Buffer) {}

  numberOf(from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ this.data[at]!, 0x01000193);
    for (let slot = hash & 0xffff; ; slot = (slot + 1) & 0xffff) {
      const number = this.slots[slot]!;
      if (number === 0) {
        this.slots[slot] = this.starts.length;
        this.ends.push(to);
        return this.starts.push(from) - 1;
      }
      if (this.equals(number, from, to)) return number;
    }
  }

  private equals(number: number, from: number, to: number): boolean {
    const start = this.starts[number]!;
    if (this.ends[number]! - start !== to - from) return false;
    for (let offset = 0; offset < to - from; offset++) if (this.data[start + offset] !== this.data[from + offset]) return false;
    return true;
  }
}

function chunked<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size));
}
