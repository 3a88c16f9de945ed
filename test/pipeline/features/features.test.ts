/** All 95 features of the fast pass agree with the same 95 in SQL, on days made to be difficult. */
import fc from 'fast-check';
import { seededRandom } from '../../../src/detector/numeric';
import { ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../../../src/telemetry/dialogue-codes';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { askOracle, differences, passOver, storeDialogues, type DialogueSeed } from './feature-world';

let opened: TestDatabase;
let lastClient = 100;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

/** Stores the day for a client of its own; answers what pass and oracle agreed on. */
async function agreed(seeds: readonly DialogueSeed[]) {
  const client = ++lastClient;
  await storeDialogues(opened.database, client, seeds);
  const pass = await passOver(opened.database, client);
  expect(differences(pass, await askOracle(opened.database, client))).toEqual([]);
  return pass.map(({ values }) => values);
}

const MIDNIGHT = 86_400_000;
const second = 1000;
const minute = 60 * second;

describe('the features of a day', () => {
  it('of one dialogue: counts are counts, gaps and the other protocol are undefined', async () => {
    const [day] = await agreed([{ at: 12 * 60 * minute }]);
    expect(day).toMatchObject({ n: 1, n_sai: 1, n_sai_success_vlr: 1, pct_map: 100, active_minutes: 1, relative_activity: 1 });
    expect(day).toMatchObject({ mean_iat_in_session: NaN, pct_diam_errors: NaN, pct_ul_success_all_uls: NaN, n_vlr_changes: 0 });
  });

  it('of dialogues of one millisecond, whatever the order in which they came', async () => {
    const seeds = [5, 3, 5, 4].map((node, index): DialogueSeed => ({
      at: 7,
      node,
      durationMs: index,
      plmn: index % 2 ? '262-01' : '214-07',
    }));
    const [day] = await agreed([...seeds, { at: 8, node: 5, protocol: 'DIAMETER', plmn: '262-02' }]);
    const [again] = await agreed([{ at: 8, node: 5, protocol: 'DIAMETER', plmn: '262-02' }, ...seeds.reverse()]);
    expect(again).toEqual(day);
    expect(day).toMatchObject({ n: 5, n_vlr_unique: 3, n_vlr_changes: 2, mean_iat_in_session: 0.00025 });
  });

  it('of the first and the last millisecond of a day, and not of its neighbours', async () => {
    const [day] = await agreed([{ at: 0 }, { at: MIDNIGHT - 1 }]);
    expect(day).toMatchObject({ n: 2, total_activity_in_minutes: 1440, active_minutes: 2, mean_iat_session: 86399.999 });
  });

  it('counts an exact repeat once, and a dialogue that differs only in its duration, result or flags twice', async () => {
    const one: DialogueSeed = { at: 90 * minute, procedure: 'CL', origin: 'HOME', resultCode: 5001, cancellationType: 2 };
    const [day] = await agreed([
      one,
      { ...one, durationMs: 3_000_000 },
      one,
      { ...one, durationMs: 3_000_001 },
      { ...one, durationMs: 3_000_000 },
      { ...one, resultCode: 100_000 },
      { ...one, resultCode: null },
      { ...one, durationMs: null },
      { ...one, formatViolation: true },
      { ...one, cancellationType: 1 },
      { ...one, node: null },
    ]);
    expect(day).toMatchObject({ n: 9, n_cl: 9, n_cl_vlr: 0 });
  });

  it('splits sessions at gaps above 30 s, and leaves PURGE and NOTIFY out of signaling-only ones', async () => {
    const [day] = await agreed([
      { at: 0 },
      { at: 30 * second },
      { at: 60 * second + 1, procedure: 'PURGE' },
      { at: 61 * second + 1 },
      { at: 65 * second + 1 },
      { at: 600 * second, procedure: 'NOTIFY' },
    ]);
    expect(day).toMatchObject({ n: 6, mean_session_iat_sig: 17, n_sai: 4 });
    expect(day!['sd_session_iat_sig']).toBeCloseTo(Math.sqrt(2) * 13, 9);
    expect(day!['mean_iat_in_session']).toBeCloseTo(35 / 3, 9);
  });

  it('of a SIM that was in two countries, moved between nodes, and met unknown ones', async () => {
    const places: [string | null, number | null][] = [
      ['214-07', 1],
      ['262-01', 9],
      [null, null],
      ['262-01', 9],
      ['214-07', 1],
      ['310-410', 70_000],
    ];
    const seeds = places.flatMap(([plmn, node], index): DialogueSeed[] => [
      { at: index * minute, plmn, node, origin: 'VLR' },
      { at: index * minute + 10, plmn, node, origin: 'SGSN', procedure: 'UL_GPRS', outcome: 'REJECT' },
      { at: index * minute + 20, plmn, node, origin: 'MME', protocol: 'DIAMETER', outcome: 'TIMEOUT' },
    ]);
    const [day] = await agreed(seeds);
    expect(day).toMatchObject({ n_operator_diam: 3, n_operator_map: 3, n_operator_changes: 3, n_vlr_changes: 3, n_vlr_unique: 3 });
    expect(day).toMatchObject({ n_diam_errors: 6, n_map_rejects: 6, active_ngn_minutes: 6, relative_ngn_activity: 1 });
  });

  it('of late rows, stored behind those that happened after them, equals that of rows in order', async () => {
    const seeds = randomDay(seededRandom(3), 5, 400);
    const inOrder = await agreed([...seeds].sort((a, b) => a.at - b.at));
    expect(await agreed(seeds)).toEqual(inOrder);
  });

  it('of node ids beyond any list of nodes', async () => {
    await agreed(randomDay(seededRandom(4), 3, 60).map((seed, index) => ({ ...seed, node: index % 3 ? 2_147_483_647 - (index % 7) : 3 })));
  });

  it('of a SIM with 100,000 dialogues beside quiet ones', async () => {
    const random = seededRandom(5);
    const storm = randomDay(random, 1, 100_000);
    const [, noisy] = await agreed([...storm.map((seed) => ({ ...seed, sim: 2 })), { sim: 1, at: 5 }, { sim: 3, at: 5 }]);
    expect(noisy!['n']).toBeGreaterThan(99_000);
  });

  it('of any day at all', async () => {
    const seed: fc.Arbitrary<DialogueSeed> = fc.record({
      sim: fc.integer({ min: 1, max: 3 }),
      at: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: MIDNIGHT - 1 })),
      protocol: fc.constantFrom(...PROTOCOLS),
      procedure: fc.constantFrom(...PROCEDURES),
      origin: fc.constantFrom(...ORIGINS),
      outcome: fc.constantFrom(...OUTCOMES),
      plmn: fc.constantFrom('214-07', '262-01', '310-410', '310-41', '000-00', '999-999', null),
      node: fc.constantFrom(1, 2, 3, 500, null),
      durationMs: fc.constantFrom(null, 0, 100, 262_142, 262_143, 2_147_483_647),
      resultCode: fc.constantFrom(null, 0, 1, 5004, 8190, 8191, 2_147_483_647, -5),
      cancellationType: fc.constantFrom(null, 1, 2),
      formatViolation: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(seed, { minLength: 1, maxLength: 60 }), async (seeds) => void (await agreed(seeds))),
      { numRuns: 40 },
    );
  });
});

/** Sessions of dialogues at random places, in no order, some of them repeated. */
function randomDay(random: () => number, sims: number, rows: number): DialogueSeed[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const seeds = Array.from({ length: rows }, (): DialogueSeed => ({
    sim: 1 + Math.floor(random() * sims),
    at: Math.floor(random() * MIDNIGHT),
    protocol: pick(PROTOCOLS),
    procedure: pick(PROCEDURES),
    origin: pick(ORIGINS),
    outcome: pick(OUTCOMES),
    plmn: pick(['214-07', '262-01', '208-01', null]),
    node: pick([1, 2, 3, 4, 5, null]),
    durationMs: Math.floor(random() * 4000),
  }));
  return [...seeds, ...seeds.slice(0, Math.floor(rows / 50))];
}
