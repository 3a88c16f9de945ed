import { decodeCursor, encodeCursor } from './connection';

const at = '2026-11-15T08:30:00.000Z';
const uuid = '00000000-0000-7000-8000-000000000000';

it('reads the cursors that it writes', () => {
  const cursor = encodeCursor([at, uuid, '-42', '2026-11-15', 'a name', 7]);
  expect(decodeCursor(cursor, ['instant', 'uuid', 'int8', 'date', 'text', 'number'])).toEqual([at, uuid, '-42', '2026-11-15', 'a name', 7]);
});

it.each([
  ['number', 1.5],
  ['number', 1e300],
  ['number', 2 ** 31],
  ['number', '7'],
  ['instant', '0000-01-01T00:00:00.000Z'],
  ['instant', '2026-02-31T00:00:00.000Z'],
  ['instant', '2026-02-01'],
  ['date', '0000-01-01'],
  ['date', '2026-02-31'],
  ['int8', '9223372036854775808'],
  ['uuid', 'x'],
  ['text', '\u0000'],
  ['text', '\ud800'],
  ['text', 'x'.repeat(513)],
] as const)('refuses a %s that the database would not take: %s', (kind, value) => {
  expect(() => decodeCursor(encodeCursor([value]), [kind])).toThrow('is not one of this list');
});
