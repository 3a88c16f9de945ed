/** `simwarden score`: somebody tries the detectors on a table of their own. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { areaUnderRoc } from '../../src/commands/score/roc';
import { readTable } from '../../src/commands/score/table';
import { randomStream } from '../../src/detector/numeric';
import { simwarden } from '../support/command-line';

const directory = mkdtempSync(join(tmpdir(), 'simwarden-score-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const table = (text: string, label?: string) => readTable('table.csv', Readable.from([Buffer.from(text)]), label);

describe('a table', () => {
  it('is every column but the label, with what is missing unknown', async () => {
    const read = await table('\uFEFFa,"b, c",bad\r\n1,2e1,0\r\n-.5,,1\r\nNaN,"+3.25",0\r\n', 'bad');
    expect(read.names).toEqual(['a', 'b, c']);
    expect(Array.from(read.values)).toEqual([1, 20, -0.5, NaN, NaN, 3.25]);
    expect(Array.from(read.labels!)).toEqual([0, 1, 0]);
    expect((await table('a,b\n1,2')).labels).toBeNull();
    expect((await table('a\n3.4028235e38')).values[0]).toBe(Math.fround(3.4028235e38));
  });

  it.each([
    ['', 'it is empty; expected a header'],
    ['a,y\n', 'it has a header but no rows'],
    ['a,\n1,2\n', 'column 2 has no name'],
    ['a,a\n1,2\n', 'two columns are named "a"'],
    ['y\n1\n', 'it has no column beside the label'],
    ['a,b\n1,2\n', 'there is no label column "y"; the columns are a, b'],
    ['a,y\n1,2\n', 'line 2, label y: expected 1 (an anomaly) or 0, got "2"'],
    ['a,y\n1,0\nred,0\n', 'line 3, column a: expected a number or nothing, got "red"'],
    ['a,y\n0x10,0\n', 'line 2, column a: expected a number or nothing, got "0x10"'],
    ['a,y\n3.4e38,0\n-1e39,0\n', 'line 3, column a: expected a number up to 3.4e38, the largest in single precision, got "-1e39"'],
    ['a,y\n1e400,0\n', 'line 2, column a: expected a number up to 3.4e38'],
    ['a,y\ninf,0\n', 'line 2, column a: expected a number or nothing, got "inf"'],
    ['a,y\n1,0\n1\n', 'line 3 has 1 fields; the header has 2'],
    ['a,y\n"1,0\n', 'line 2 is not CSV in UTF-8 (a quote is not closed, or text follows it)'],
  ])('that reads %j is refused, saying where', async (text, message) => {
    await expect(table(text, 'y')).rejects.toThrow(message);
  });

  it('arrives in pieces of any size', async () => {
    const text = 'a,b\n1.25,2\n3,4\n';
    const bytes = Readable.from(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)));
    expect(Array.from((await readTable('table.csv', bytes, undefined)).values)).toEqual([1.25, 2, 3, 4]);
  });
});

describe('the area under the ROC curve', () => {
  it('is 1 for a perfect ranking, 0 for its reverse, ½ for ties, and counts rows without a score last', () => {
    const labels = Uint8Array.of(0, 0, 1, 1);
    expect(areaUnderRoc(Float64Array.of(1, 2, 3, 4), labels)).toBe(1);
    expect(areaUnderRoc(Float64Array.of(4, 3, 2, 1), labels)).toBe(0);
    expect(areaUnderRoc(Float64Array.of(5, 5, 5, 5), labels)).toBe(0.5);
    expect(areaUnderRoc(Float64Array.of(1, 3, 2, 4), labels)).toBe(0.75);
    expect(areaUnderRoc(Float64Array.of(1, 2, NaN, NaN), labels)).toBe(0);
  });

  it('is not defined where all rows are of one kind', () => {
    expect(() => areaUnderRoc(Float64Array.of(1, 2), Uint8Array.of(0, 0))).toThrow('both kinds are needed');
  });
});

describe('simwarden score', () => {
  const file = join(directory, 'table.csv');
  const random = randomStream(1, 0);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rows = Array.from({ length: 400 }, (_, row) => [
    ...Array.from({ length: 6 }, () => normal() * (row < 20 ? 5 : 1)),
    row < 20 ? 1 : 0,
  ]);
  writeFileSync(file, ['a,b,c,d,e,f,bad', ...rows.map((row) => row.join(','))].join('\n'));

  it('prints how well the anomalies rank, the same for the same seed, and writes the scores', async () => {
    const scores = join(directory, 'scores.csv');
    const args = ['score', '--detector', 'isolation-forest', '--input', file, '--label', 'bad', '--options', '{"trees":50}'];
    const [first, again] = await Promise.all([simwarden([...args, '--output', scores], {}), simwarden(args, {})]);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^auroc (0\.9[5-9]\d\d|1\.0000)\n$/) });
    expect(again.stdout).toBe(first.stdout);
    const lines = readFileSync(scores, 'utf8').trimEnd().split('\n');
    expect([lines[0], lines.length]).toEqual(['row,score', 401]);
    expect(lines[1]).toMatch(/^1,0\.\d+$/);
  });

  it('says that a label is of one kind before it scores, and writes nothing', async () => {
    const [oneKind, scores] = [join(directory, 'one-kind.csv'), join(directory, 'none-scored.csv')];
    writeFileSync(oneKind, 'a,bad\n1,0\n2,0\n');
    const args = ['--detector', 'tukey-fences', '--input', oneKind, '--label', 'bad', '--output', scores];
    expect(await simwarden(['score', ...args], {})).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^BAD_USER_INPUT: The label column says that 0 of 2 rows are anomalies/m),
    });
    expect(existsSync(scores)).toBe(false);
  });

  it.each([
    [
      'an unknown detector',
      ['--detector', 'oracle', '--input', file],
      /^UNKNOWN_DETECTOR: .*"oracle".*isolation-forest, gaussian-mixture, tukey-fences/,
    ],
    [
      'options that are not',
      ['--detector', 'tukey-fences', '--input', file, '--options', '{"reach":-1}'],
      /^OPTIONS_INVALID: .*reach: expected 0 to 100, got -1/,
    ],
    [
      'scores that nothing can be written to, before it looks at the table',
      ['--detector', 'tukey-fences', '--input', join(directory, 'none.csv'), '--output', join(directory, 'nowhere', 'scores.csv')],
      /^FILE_UNWRITABLE: .*scores\.csv can't be written: ENOENT/,
    ],
    [
      'scores that go to a directory',
      ['--detector', 'tukey-fences', '--input', file, '--output', directory],
      /^FILE_UNWRITABLE: .*can't be written: it is a directory/,
    ],
    ['a missing file', ['--detector', 'tukey-fences', '--input', join(directory, 'none.csv')], /^FILE_UNREADABLE: /],
  ])('says in one line what is wrong with %s', async (_, args, said) => {
    const { code, stderr } = await simwarden(['score', ...args], {});
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([1, 1]);
    expect(stderr).toMatch(said);
  });
});
