/** Clusters, models and decisions in memory: what a fit makes of a town, and what it then says of a bad day. */
import { FEATURE_COUNT } from '../../../src/detector';
import { addClusterVector, CLUSTER_WIDTH } from '../../../src/detection/population/cluster-features';
import { describeCluster } from '../../../src/detection/population/cluster-description';
import { keepNumbers } from '../../../src/detection/population/cluster-matching';
import { ClusterModel, fitClusters } from '../../../src/detection/population/clusters';
import { calibrate, calibrated } from '../../../src/detection/population/calibration';
import { countBins, driftReference, DRIFT_WIDTH, PSI_STALE, stabilityIndex } from '../../../src/detection/population/drift';
import { fitPopulation, type FittedPopulation } from '../../../src/detection/population/fit';
import { readModel, whyUnfit } from '../../../src/detection/population/model-file';
import type { PlannedDetector, PopulationScope } from '../../../src/detection/population/plan';
import { countCells, scoreRows, type LoadedModel } from '../../../src/detection/population/scoring';
import { TrainingSample, type Sample } from '../../../src/detection/population/training-sample';
import { decide } from '../../../src/detection/significance/decide';
import { farFromMedian, featureRows, type Fleet } from './feature-town';

const calm: readonly (readonly Fleet[])[] = [
  [
    { country: 'ES', life: 0, devices: 200 },
    { country: 'FR', life: 1, devices: 100 },
  ],
  [
    { country: 'ES', life: 0, devices: 150 },
    { country: 'DE', life: 2, devices: 80 },
  ],
  [
    { country: 'ES', life: 0, devices: 100 },
    { country: 'US', life: 1, devices: 150 },
    { country: 'MX', life: 2, devices: 80 },
  ],
];
const rowsOn = (day: number, fleets = calm) => fleets.map((own, client) => featureRows(own, day, client * 10_000 + 1));
const planned = (scope: PopulationScope): PlannedDetector => ({ detector: farFromMedian, scope, options: {} });

function sampleOf(days: readonly number[], order = (clients: number[]) => clients): Sample {
  const sample = new TrainingSample(7);
  for (const day of days) {
    const rows = rowsOn(day);
    for (const client of order([0, 1, 2])) sample.add(client + 1, `2026-11-0${day}`, rows[client]!);
  }
  return sample.finish();
}

const fitOf = (sample: Sample, scopes: readonly PopulationScope[] = ['PER_CLUSTER']) =>
  fitPopulation({
    sample,
    plan: scopes.map(planned),
    seed: 7,
    fromDay: '2026-11-01',
    toDay: '2026-11-03',
    before: { clusters: null, firstFree: 0 },
  });

let sample: Sample;
let fitted: FittedPopulation;
beforeAll(async () => {
  sample = sampleOf([1, 2, 3]);
  fitted = await fitOf(sample);
});

test('the three ways to live are found and described', () => {
  expect(fitted.shown.map(({ description }) => description)).toEqual([
    'stationary, 2G/3G, low volume',
    'stationary, 4G, medium volume',
    'highly mobile, mixed 2G/3G and 4G, very high volume',
  ]);
  expect(fitted.shown.map(({ weight }) => Math.round(weight * 860))).toEqual([450, 250, 160]);
});

test('the same sample gives the same bytes, in whatever order it was read', async () => {
  const again = await fitOf(sampleOf([3, 1, 2], (clients) => clients.reverse()));
  expect(Buffer.from(again.clusters.toBytes()).equals(Buffer.from(fitted.clusters.toBytes()))).toBe(true);
  expect(again.models.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).toEqual(
    fitted.models.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
  );
});

test('a sample stays bounded and does not depend on the order of reading', () => {
  const small = (order: number[]) => {
    const drawn = new TrainingSample(7, 50);
    for (const client of order) drawn.add(client + 1, '2026-11-01', rowsOn(1)[client]!);
    return drawn.finish();
  };
  const one = small([0, 1, 2]);
  expect([one.sims, one.seenRows]).toEqual([50, 860]);
  expect(small([2, 0, 1])).toEqual(one);
});

test('nobody is judged by a model that learned from its own devices', async () => {
  const trained: number[][] = [];
  const seeing = {
    ...farFromMedian,
    fit: (...asked: Parameters<NonNullable<typeof farFromMedian.fit>>) => {
      trained.push([...new Set(asked[0].columns.n_map_rejects)]);
      return farFromMedian.fit!(...asked);
    },
  };
  const marked = new TrainingSample(7);
  for (const client of [1, 2, 3]) {
    const rows = rowsOn(1)[client - 1]!;
    marked.add(client, '2026-11-01', { ...rows, values: rows.values.map(() => client) });
  }
  const plan = [{ ...planned('GLOBAL'), detector: seeing as never }];
  const { failures } = await fitPopulation({
    sample: marked.finish(),
    plan,
    seed: 7,
    fromDay: '2026-11-01',
    toDay: '2026-11-01',
    before: { clusters: null, firstFree: 0 },
  });
  // even clients by the odd, odd ones by the even
  expect([failures.size, trained.map((clients) => clients.sort())]).toEqual([0, [[1, 3], [2]]]);
});

test('clusters survive their bytes', () => {
  const copy = ClusterModel.fromBytes(fitted.clusters.toBytes());
  expect(copy.assign(sample.vectors)).toEqual(fitted.clusters.assign(sample.vectors));
});

test('a refit keeps the numbers of clusters that are much the same, and numbers a new one afresh', () => {
  // as if the three had been numbered 5, 3 and 9 long ago
  const lasting = [5, 3, 9];
  const before = fitted.clusters.with(
    fitted.clusters.numbers.map((number) => lasting[number]!),
    fitted.clusters.centres,
  );
  const refit = keepNumbers(fitClusters(sampleOf([4, 5]).vectors, 99), before, 10);
  expect([...refit.continuing].sort()).toEqual([3, 5, 9]);
  expect(refit.clusters.assign(sample.vectors)).toEqual(fitted.clusters.assign(sample.vectors).map((number) => lasting[number]!));
  const moved = fitClusters(
    sampleOf([4, 5]).vectors.map((value) => value * 3 + 5),
    99,
  );
  expect(keepNumbers(moved, fitted.clusters, 10).clusters.numbers.every((number) => number >= 10)).toBe(true);
});

test('clusters say what they are like whatever their means', () => {
  const means = { ...fitted.shown[0]!.means, n: 98, pct_map: 99.99, n_vlr_changes: 36, n_sgsn_changes: 20, n_operator_changes: 0 };
  expect(describeCluster(means)).toBe('mildly mobile, 2G/3G, high volume');
});

describe('a model as bytes', () => {
  const model = () => fitted.models[0]!.bytes;
  it('says what it was fitted by and on', () => {
    const { header } = readModel(model(), 'far-from-median');
    expect(header).toMatchObject({
      detector: 'far-from-median',
      version: '1.0.0',
      fromDay: '2026-11-01',
      scope: 'PER_CLUSTER',
      cluster: 0,
    });
    expect(whyUnfit(header, farFromMedian as never, {})).toBeUndefined();
    expect(whyUnfit(header, farFromMedian as never, { trees: 3 })).toBe('it was fitted with other options');
    const newer = { ...farFromMedian, meta: { ...farFromMedian.meta, version: '2.0.0' } };
    expect(whyUnfit(header, newer as never, {})).toBe('it was fitted by version 1.0.0; this is 2.0.0');
  });
  it('is refused when a byte of it changed, when it ends early, and when it is something else', () => {
    const damaged = Uint8Array.from(model());
    damaged[damaged.length - 1]! ^= 1;
    expect(() => readModel(damaged, 'it')).toThrow('its bytes are damaged');
    expect(() => readModel(model().subarray(0, 40), 'it')).toThrow('it ends early');
    expect(() => readModel(Buffer.from('hello, I am no model'), 'it')).toThrow('it is not a population model');
  });
});

test('scores become shares of the training scores, and beyond them still rank', () => {
  const calibration = calibrate(Float64Array.from({ length: 101 }, (_, index) => index));
  expect(calibration.threshold).toBe(95);
  expect(calibrated(50, calibration)).toBeCloseTo(0.5, 10);
  expect(calibrated(-1, calibration)).toBe(0);
  const far = [99, 100, 101, 150, 1e6].map((score) => calibrated(score, calibration));
  expect([...far].sort((a, b) => a - b)).toEqual(far);
  expect(new Set(far).size).toBe(5);
  expect(far.at(-1)).toBeLessThan(1);
  const flat = calibrate(new Float64Array(50).fill(3));
  expect(calibrated(3, flat)).toBeLessThan(calibrated(4, flat));
});

test('drift is told from an ordinary day', () => {
  const reference = driftReference(sample.values);
  const psiOf = (change: (value: number) => number) => {
    const counts = new Float64Array(DRIFT_WIDTH);
    for (const { values } of rowsOn(5)) countBins(reference, values.map(change), counts);
    return Math.max(...stabilityIndex(reference, counts).map(({ psi }) => psi));
  };
  expect(psiOf((value) => value)).toBeLessThan(PSI_STALE);
  expect(psiOf((value) => value * 3)).toBeGreaterThan(PSI_STALE);
});

describe.each(['PER_CLUSTER', 'MAJOR_CLUSTER'] as const)('a bad day under models of scope %s', (scope) => {
  const judge = async (fleets: readonly (readonly Fleet[])[]) => {
    const models = new Map<string, LoadedModel>();
    for (const { scope: of, cluster, bytes } of (await fitOf(sample, [scope])).models)
      models.set(`${of} ${cluster}`, readModel(bytes, 'it'));
    const cells = [];
    for (const [client, rows] of rowsOn(4, fleets).entries()) {
      const clusters = fitted.clusters.assign(vectorsOf(4, client));
      const asked = {
        clientId: client + 1,
        day: '2026-11-04',
        rows,
        clusters,
        majorOf: (country: string) => clusters[rows.countries.indexOf(country)]!,
      };
      const scored = await scoreRows(planned(scope), asked, (of, cluster) => models.get(`${of} ${cluster}`)!);
      expect([...scored.evidence.keys()]).toEqual([...scored.flagged.keys()].filter((row) => scored.flagged[row] === 1));
      cells.push(...countCells(asked, scored).map((cell) => ({ clientId: client + 1, ...cell })));
    }
    return decide(cells)
      .filter(({ verdict }) => verdict === 'ANOMALOUS')
      .map(({ clientId, country }) => `${clientId} ${country}`);
  };
  // clusters come from calm days: what goes wrong today must not change whom a device is measured against
  const vectorsOf = (day: number, client: number) => {
    const { simIds, values } = rowsOn(day)[client]!;
    const vectors = new Float64Array(simIds.length * CLUSTER_WIDTH);
    simIds.forEach((_, row) => addClusterVector(values, row * FEATURE_COUNT, vectors, row * CLUSTER_WIDTH));
    return vectors;
  };

  it('says nothing of a calm day', async () => {
    expect(await judge(calm)).toEqual([]);
  });
  it('finds the client and country whose devices are rejected, and no other', async () => {
    const [first, ...others] = calm;
    expect(await judge([[{ ...first![0]!, rejected: 40 }, first![1]!], ...others])).toEqual(['1 ES']);
  });
  it('does not blame a client for the devices that we blocked', async () => {
    const [first, ...others] = calm;
    expect(await judge([[{ ...first![0]!, blocked: 40 }, first![1]!], ...others])).toEqual([]);
  });
});
