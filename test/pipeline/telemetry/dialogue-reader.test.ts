/** The fast reader of dialogues and the reader of single rows agree, whatever the file and the pieces that it comes in. */
import fc from 'fast-check';
import type { DialogueChunk } from '../../../src/telemetry/dialogues/dialogue-chunk';
import { DialogueChunk as Chunk } from '../../../src/telemetry/dialogues/dialogue-chunk';
import { dialogueKind } from '../../../src/telemetry/dialogues/dialogue-kind';
import { DialogueReader } from '../../../src/telemetry/dialogues/dialogue-reader';
import { rowReader } from '../../../src/telemetry/parsing/rows';
import { DIALOGUE_HEADER, dialogueLine, imsiOf } from './dialogue-house';
import { NOW } from './house';

const now = NOW.getTime();

interface Read {
  readonly line: number;
  readonly said: unknown;
}

function cut(body: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(body.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function fast(body: Buffer, sizes: readonly number[], rows: number): { read: Read[]; hashes: string[] } {
  const reader = new DialogueReader({ format: 'csv', newChunk: () => new Chunk(rows, 7), now: () => now });
  const read: Read[] = [];
  const hashes: string[] = [];
  const take = (chunk: DialogueChunk): void => {
    hashes.push(chunk.hash(chunk.rowCount).toString('hex'));
    for (let row = 0; row < chunk.rowCount; row++) {
      const bad = chunk.bad.get(row);
      read.push({ line: chunk.line[row]!, said: bad ? bad.error : chunk.values(row) });
    }
  };
  for (const piece of cut(body, sizes)) for (const chunk of reader.push(piece)) take(chunk);
  for (const chunk of reader.end()) take(chunk);
  return { read, hashes };
}

function slow(body: Buffer): Read[] {
  const reader = rowReader('csv', dialogueKind);
  return [...reader.push(body, now), ...reader.end(now)].map(({ line, content, error }) => ({
    line,
    said: error ?? { ...content, format_violation: content!.format_violation ?? false },
  }));
}

const field = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '00',
    '214070000000001',
    '2026-11-20T10:00:00Z',
    '2026-11-20T10:00:00.1Z',
    '2026-11-20t10:00:00z',
    '2024-02-29T00:00:00Z',
  ),
  fc.constantFrom(
    '2026-11-20T24:00:00Z',
    '2026-11-31T00:00:00Z',
    '1763632800000',
    '1795168800000',
    '2147483647',
    '2147483648',
    'MAP',
    'DIAMETER',
    'UL',
    'UL_GPRS',
  ),
  fc.constantFrom(
    'SAI',
    'CL',
    'VLR',
    'HOME',
    'SUCCESS',
    'TIMEOUT',
    '214-07',
    '21407',
    '310410',
    '999-99',
    '2140',
    'vlr é',
    '"a,b"',
    '"a\nb"',
    '"',
    'a"b',
    ' MAP',
    'true',
    'false',
  ),
  fc.string({ maxLength: 4 }),
);
const plainLine = fc.nat(5000).map((n) => dialogueLine(n, 50));
/** A good line in which some fields are something else. */
const spoiltLine = fc.tuple(fc.nat(5000), fc.array(fc.tuple(fc.nat(11), field), { maxLength: 3 })).map(([n, changes]) => {
  const fields = dialogueLine(n, 50).split(',');
  for (const [at, value] of changes) fields[at] = value;
  return fields.join(',');
});
const line = fc.oneof(
  { weight: 4, arbitrary: plainLine },
  { weight: 3, arbitrary: spoiltLine },
  fc.constantFrom('', '\r', ',', 'x'),
  fc.string({ maxLength: 30 }),
);
const ending = fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n');
const file = fc.tuple(fc.array(fc.tuple(line, ending), { maxLength: 30 }), fc.boolean()).map(([lines, whole]) => {
  const text = lines.map((parts) => parts.join('')).join('');
  return Buffer.from(DIALOGUE_HEADER + (whole ? text : text.replace(/[\r\n]+$/, '')));
});

test('both readers say the same of every line, in the same order', () => {
  fc.assert(
    fc.property(
      file,
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      (body, sizes, rows) => {
        expect(fast(body, sizes, rows).read).toEqual(slow(body));
      },
    ),
    { numRuns: 600 },
  );
});

test('chunks are the same whatever the pieces', () => {
  fc.assert(
    fc.property(file, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), (body, sizes) => {
      expect(fast(body, sizes, 5).hashes).toEqual(fast(body, [1 << 20], 5).hashes);
    }),
    { numRuns: 200 },
  );
});

/** Lines of which many end alike, or nearly. */
const likeEnds = fc
  .array(
    fc.tuple(
      fc.constantFrom(imsiOf(1), imsiOf(12), '214070', '99', ''),
      fc.constantFrom(
        '2026-11-20T10:00:00Z',
        '2026-11-20T10:00:59.999Z',
        '2026-11-20T10:00:60Z',
        '2026-11-20T10:01:00.5Z',
        '1795168800000',
        '2026-11-20T10:00',
      ),
      fc.constantFrom('', '0', '1500', '-1'),
      fc.constantFrom('', 'n', 'node-1', 'node-10', 'node-11', 'n'.repeat(100), 'n'.repeat(101), 'n'.repeat(300), 'vlr é', 'a"b'),
      fc.constantFrom('\n', '\n', '\r\n', 'x\n', ',\n'),
    ),
    { maxLength: 40 },
  )
  .map((lines) =>
    lines.map(([imsi, at, duration, node, end]) => `${imsi},${at},${duration},MAP,SAI,VLR,SUCCESS,,214-07,${node},,${end}`).join(''),
  );

test('lines that end alike are read alike', () => {
  fc.assert(
    fc.property(likeEnds, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), (lines, sizes) => {
      const body = Buffer.from(DIALOGUE_HEADER + lines);
      expect(fast(body, sizes, 50).read).toEqual(slow(body));
    }),
    { numRuns: 400 },
  );
});

test('the columns may stand in any order', () => {
  const names = DIALOGUE_HEADER.trim().split(',');
  fc.assert(
    fc.property(fc.shuffledSubarray(names, { minLength: names.length }), fc.array(plainLine, { maxLength: 20 }), (order, lines) => {
      const places = order.map((name) => names.indexOf(name));
      const rows = lines.map((line) => places.map((place) => line.split(',')[place]).join(','));
      const body = Buffer.from(`${[order.join(','), ...rows].join('\n')}\n`);
      expect(fast(body, [64], 50).read).toEqual(slow(body));
    }),
    { numRuns: 200 },
  );
});
