/** Rows out of bytes: the same for every cutting of the stream, and bounded for every content. */
import fc from 'fast-check';
import { isRowError, textsOf } from './column';
import { csvLine, CsvReader } from './csv';
import { LineSplitter, MOST_LINE_BYTES } from './lines';
import { rowReader, type Row } from './rows';
import { CONNECTION_EVENT_TYPES, connectionEventKind, usageColumns, usageKind, type TelemetryRecord } from '../record-kind';

const NOW = Date.UTC(2026, 10, 20, 12);

function readAll<Content extends object>(
  format: 'csv' | 'ndjson',
  kind: Parameters<typeof rowReader<Content>>[1],
  bytes: Buffer,
  cuts: readonly number[],
): Row<Content>[] {
  const reader = rowReader<Content>(format, kind);
  const rows: Row<Content>[] = [];
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    rows.push(...reader.push(bytes.subarray(from, cut), NOW));
    from = cut;
  }
  return [...rows, ...reader.end(NOW)];
}

const text = (most: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: most })
    .filter((value) => value.isWellFormed() && !value.includes('\0') && value.length <= most && !value.includes('\r'));
const digits = (count: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: count, maxLength: count }).map((all) => all.join(''));
const iccid = digits(17).map((rest) => `89${rest}`);
const usageTexts = fc
  .record({
    record_id: text(60),
    iccid,
    started_at: fc
      .date({ min: new Date(NOW - 390 * 86_400_000), max: new Date(NOW - 86_400_000), noInvalidDate: true })
      .map((date) => date.toISOString()),
    lasting: fc.integer({ min: 0, max: 86_400_000 }),
    uplink_bytes: fc.maxSafeNat().map(String),
    downlink_bytes: fc.maxSafeNat().map(String),
    plmn: fc.oneof(fc.constant(''), digits(5), digits(6)),
    rat: fc.constantFrom('', '2g', '3G', '4G', '5G', 'LTE-M', 'nb-iot', 'EUTRAN'),
    imei: fc.oneof(fc.constant(''), digits(15), digits(16)),
    apn: fc.oneof(fc.constant(''), text(40)),
    destination: fc.constantFrom('', 'a.example', '10.0.0.1', 'AS64500', '::1'),
  })
  .map(({ lasting, ...texts }) => ({ ...texts, ended_at: String(Date.parse(texts.started_at) + lasting) }));
const columns = Object.keys(usageColumns);
const cutsOf = fc.array(fc.nat(), { maxLength: 12 });

test('CSV reads back as it was written, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(usageTexts, { maxLength: 8 }),
      cutsOf,
      fc.shuffledSubarray(columns, { minLength: columns.length }),
      (rows, cuts, order) => {
        const body = csvLine(order) + rows.map((row) => csvLine(order.map((column) => (row as Record<string, string>)[column]!))).join('');
        const read = readAll('csv', usageKind, Buffer.from(body), cuts);
        expect(read.map((row) => row.error)).toEqual(rows.map(() => null));
        expect(read.map((row) => (row.content as TelemetryRecord).id)).toEqual(rows.map((row) => row.record_id));
        expect(read.map((row) => String((row.content as TelemetryRecord<{ uplink_bytes: bigint }>).values.uplink_bytes))).toEqual(
          rows.map((row) => row.uplink_bytes),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('CSV and NDJSON give equal records, and quarantined texts read back as the record they were', () => {
  fc.assert(
    fc.property(fc.array(usageTexts, { maxLength: 5 }), cutsOf, (rows, cuts) => {
      const csv = csvLine(columns) + rows.map((row) => csvLine(columns.map((column) => (row as Record<string, string>)[column]!))).join('');
      const ndjson = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      const left = readAll('csv', usageKind, Buffer.from(csv), cuts).map((row) => row.content);
      expect(readAll('ndjson', usageKind, Buffer.from(ndjson), cuts).map((row) => row.content)).toEqual(left);
      for (const record of left) {
        const texts = textsOf(usageColumns, (record as TelemetryRecord).values as object);
        expect(usageKind.read((column) => texts[column], NOW)).toEqual(record);
      }
    }),
    { numRuns: 100 },
  );
});

test('any bytes at all make rows or errors, the same ones however they are cut', () => {
  const header = Buffer.from('iccid,type,occurred_at\n');
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        '"',
        '\n',
        ',',
        '\r\n',
        '""',
        `8934000000000000001,${CONNECTION_EVENT_TYPES[0]},2026-11-20T10:00:00Z\n`,
        '{"iccid":1}\n',
        '\u{1F600}',
      )
      .map((part) => Buffer.from(part)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), cutsOf, fc.constantFrom('csv' as const, 'ndjson' as const), (pieces, cuts, format) => {
      const body = Buffer.concat(format === 'csv' ? [header, ...pieces] : pieces);
      expect(readAll(format, connectionEventKind, body, cuts)).toEqual(readAll(format, connectionEventKind, body, []));
    }),
    { numRuns: 300 },
  );
});

test('a good row is never lost to a broken quote before it', () => {
  const good = `8934000000000000001,DETACHED,2026-11-20T10:00:00Z`;
  fc.assert(
    fc.property(fc.array(fc.constantFrom('"', 'a"b', '"x"y', '"open', good, `"${good}`, ''), { maxLength: 12 }), (lines) => {
      const rows = readAll('csv', connectionEventKind, Buffer.from(`iccid,type,occurred_at\n${lines.join('\n')}\n${good}\n`), []);
      expect(rows.filter((row) => row.content !== null)).toHaveLength(lines.filter((line) => line === good).length + 1);
    }),
    { numRuns: 300 },
  );
});

test('a quoted field may hold commas, quotes and line breaks', () => {
  const splitter = new LineSplitter();
  const reader = new CsvReader(2);
  const records = reader.push(splitter.push(Buffer.from('"a,""b""\nc",d\ne,"f"\n')));
  expect(records.map((record) => [record.line, record.fields])).toEqual([
    [1, ['a,"b"\nc', 'd']],
    [3, ['e', 'f']],
  ]);
});

test('a line that is too long is told apart by its content and never kept', () => {
  const splitter = new LineSplitter();
  const piece = Buffer.alloc(MOST_LINE_BYTES, 'x');
  const first = [...splitter.push(piece), ...splitter.push(piece), ...splitter.push(Buffer.from('\nshort\n'))];
  expect(first.map((line) => [line.number, line.tooLong !== null, line.bytes.length])).toEqual([
    [1, true, 256],
    [2, false, 5],
  ]);
  const [other] = new LineSplitter().push(Buffer.concat([piece, piece, Buffer.from('y\n')]));
  expect(other!.tooLong).not.toEqual(first[0]!.tooLong);
});

test.each([
  ['2026-11-01T08:30:00Z', Date.UTC(2026, 10, 1, 8, 30)],
  ['2026-11-01T08:30:00.123456Z', Date.UTC(2026, 10, 1, 8, 30, 0, 123)],
  ['2026-11-01T08:30:00+00:00', Date.UTC(2026, 10, 1, 8, 30)],
  [String(Date.UTC(2026, 10, 1)), Date.UTC(2026, 10, 1)],
  ['2026-11-01T24:00:00Z', null],
  ['2026-11-01 08:30:00Z', null],
  ['2026-11-01T08:30:00', null],
  ['2026-11-01T08:30:60Z', null],
  ['2026-11-31T00:00:00Z', null],
  ['infinity', null],
  ['-infinity', null],
  ['NaN', null],
  ['1e12', null],
  ['-1', null],
  ['99999999999999', null],
  ['0000-00-00T00:00:00Z', null],
])('the time %s', (given, expected) => {
  const result = usageColumns.started_at.parse(given);
  expect(result ?? null).toBe(expected);
});

test.each([
  ['Example.COM.', 'example.com'],
  ['as64500', 'AS64500'],
  ['2001:DB8::1', '2001:db8::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['a b', undefined],
  ['-x.example', undefined],
])('the destination %s', (given, expected) => expect(usageColumns.destination.parse(given)).toBe(expected));

test('each column says what it expects', () => {
  const bad = { iccid: '12', started_at: 'x', ended_at: 'x', uplink_bytes: 'x', downlink_bytes: 'x' };
  const result = usageKind.read((column) => (bad as Record<string, string>)[column], NOW);
  expect(isRowError(result) && result.message).toBe('Column iccid is "12"; expected an ICCID of 19 or 20 digits that starts with 89.');
});
