/** plugins/CONTRACT.md: every MUST has a check that executes it, every MAY a detector that takes the liberty and passes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineDetector, type Detection, type DetectorContext, type DetectorInput, type Kind } from 'simwarden/detector';
import { checkDetector, contractChecks, contractClauses, quietSimDay, syntheticUsage, type CheckOptions } from 'simwarden/detector/testing';
import { columnsPage } from '../../scripts/columns-page';
import { withContractTables } from '../../scripts/contract-page';

const page = readFileSync(join(__dirname, '../../plugins/CONTRACT.md'), 'utf8');

describe('plugins/CONTRACT.md', () => {
  it('shows the clauses and floors of the kit, each number once', () => {
    expect(page).toBe(withContractTables(page));
    const ids = contractClauses.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(page).toContain('| MUST-01 |');
  });

  it('has a check for every MUST, and a MUST for every check', () => {
    const executed = contractClauses.filter(({ id }) => id.startsWith('MUST')).map(({ check }) => check);
    expect(new Set(executed)).toEqual(new Set([...contractChecks.map(({ id }) => id), 'fenced']));
  });

  it('has a detector here for every MAY', () => {
    expect(contractClauses.filter(({ check }) => check === undefined).map(({ id }) => id)).toEqual(Object.keys(liberties));
  });
});

it('plugins/COLUMNS.md lists every column as the catalogue describes it (npm run docs)', () => {
  expect(readFileSync(join(__dirname, '../../plugins/COLUMNS.md'), 'utf8')).toBe(columnsPage());
});

type Input = DetectorInput<'dayBytes' | 'baselineDayBytes'>;
type Context = Pick<DetectorContext<unknown>, 'random' | 'model'>;

const kind: Kind = {
  id: 'TOO_MUCH',
  title: 'Too much',
  severity: 'WARNING',
  escalated: 'CRITICAL',
  subject: 'SIM',
  window: 'DAY',
  judged: 'ANY_TIME',
};
const other: Kind = { ...kind, id: 'FAR_TOO_MUCH' };

const fleets: CheckOptions = {
  quiet: [{ name: 'quiet', rows: syntheticUsage({ sims: 200, seed: 1 }) }],
  anomalous: [{ name: 'stolen', kind: 'TOO_MUCH', planted: [1], rows: [quietSimDay, { ...quietSimDay, dayBytes: 9e8 }] }],
};

const liberties: Record<string, () => { detector: ReturnType<typeof detectorThat>; fleets?: Partial<CheckOptions> }> = {
  'MAY-01': () => ({ detector: detectorThat((input) => Promise.resolve(judged(input))) }),
  'MAY-02': () => ({
    detector: detectorThat(
      (input) => {
        const one = judged(input);
        const unknown = (row: number) => Number.isNaN(one.scores[row]);
        const rows = Array.from(one.scores.keys());
        return {
          scores: Float64Array.from(rows.flatMap((row) => [one.scores[row]!, NaN])),
          fires: Uint8Array.from(rows.flatMap((row) => [one.fires![row]!, 0])),
          abstained: rows.flatMap((row) => [
            { row, kind: other.id, reason: 'not today' },
            ...(unknown(row) ? [{ row, kind: kind.id, reason: 'no baseline' }] : []),
          ]),
        };
      },
      { kinds: [kind, other] },
    ),
  }),
  'MAY-03': () => ({ detector: detectorThat((input) => ({ ...judged(input), fires: judged(input).fires!.map((level) => 2 * level) })) }),
  'MAY-04': () => ({ detector: detectorThat((input, { model }) => judged(input, model![0]), { fit: () => Uint8Array.of(3) }) }),
  'MAY-05': () => ({ detector: detectorThat((input, { random }) => judged(input, 3 + random())) }),
  'MAY-06': () => ({
    detector: detectorThat((input) => {
      const { scores, abstained } = judged(input);
      return { scores, abstained, fires: Uint8Array.from(scores, (score, row) => (score > (input.wasFiring[row] ? 2 : 3) ? 1 : 0)) };
    }),
    fleets: {
      anomalous: [
        ...fleets.anomalous,
        { name: 'still', kind: 'TOO_MUCH', wasFiring: ['TOO_MUCH'], planted: [0], rows: [{ ...quietSimDay, dayBytes: 2.5e7 }] },
      ],
    },
  }),
  'MAY-07': () => ({
    detector: detectorThat((input) => ({ ...judged(input), fires: new Uint8Array(input.rows) })),
    fleets: { expectedFailures: { 'finds-anomalies': 'its border is to be found next week' } },
  }),
};

it.each(Object.entries(liberties))('%s is a liberty that the checks leave', async (_, liberty) => {
  const { detector, fleets: own } = liberty();
  const results = await checkDetector(detector, { ...fleets, ...own });
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});

function judged({ columns: { dayBytes, baselineDayBytes } }: Input, border = 3): Detection {
  const scores = dayBytes.map((bytes, row) => bytes / baselineDayBytes[row]!);
  const unknown = [...scores.keys()].filter((row) => Number.isNaN(scores[row]));
  return {
    scores,
    fires: Uint8Array.from(scores, (score) => (score > border ? 1 : 0)),
    abstained: unknown.map((row) => ({ row, reason: 'no baseline' })),
  };
}

function detectorThat(
  detect: (input: Input, context: Context) => Detection | Promise<Detection>,
  { kinds = [kind] as readonly Kind[], fit = undefined as (() => Uint8Array) | undefined } = {},
) {
  return defineDetector({
    meta: {
      id: 'liberty',
      version: '1.0.0',
      contract: 1,
      title: 'Liberty',
      summary: 'Takes one.',
      limits: 'For tests.',
      input: 'usage',
      needs: ['dayBytes', 'baselineDayBytes'],
      kinds,
      decides: 'itself',
      scope: 'client',
      options: { type: 'object', additionalProperties: false, properties: {} },
    },
    ...(fit ? { fit } : {}),
    detect,
    explain: (input, asked) =>
      asked.map(({ row }) => [
        { column: 'dayBytes', observed: input.columns.dayBytes[row]!, expected: null, unit: 'bytes', weight: 1, text: 'too much' },
      ]),
  });
}
