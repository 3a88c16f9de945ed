/** Detectors, runs and baselines through the public door. */
import { DetectionWorld } from './support';
import { startTestApp, type TestApp } from '../../support/app';

/** One credential's way in. */
class Door {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async graphql<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const response = await fetch(new URL('/graphql', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    if (errors || !data) throw new Error(JSON.stringify(errors));
    return data;
  }
}

describe('detectors over GraphQL', () => {
  let app: TestApp;
  let admin: Door;
  let other: Door;
  let acme: string;

  beforeAll(async () => {
    app = await startTestApp({ workers: false });
    for (const name of ['Acme', 'Other']) {
      await app.operator.graphql('mutation Make($name: Text!) { createClient(input: { name: $name }) { userErrors { code } } }', { name });
    }
    acme = await app.clientId('Acme');
    admin = new Door(app.url, await app.keyFor('Acme', 'CLIENT_ADMIN'));
    other = new Door(app.url, await app.keyFor('Other', 'CLIENT_ADMIN'));
  });
  afterAll(async () => {
    await app.close();
  });

  const configure = `mutation Configure($input: ConfigureDetectorInput!) {
    configureDetector(input: $input) { detector { id mode } configuration { scope mode options updatedBy fleet { name } } userErrors { code message path } }
  }`;

  it('lists the built-in detectors with what they find and their options', async () => {
    const { detectors } = await admin.graphql<{
      detectors: { id: string; mode: string; kinds: { id: string }[]; optionsSchema: { properties: object } }[];
    }>('{ detectors { id mode kinds { id severity window judged } optionsSchema } }');
    expect(detectors.map((detector) => detector.id)).toContain('baseline-multiple');
    // of those that judge the population, the first speaks and the others watch
    const watching = detectors.filter((detector) => detector.mode !== 'ENABLED');
    expect(watching.map(({ id, mode }) => `${id} ${mode}`)).toEqual(['gaussian-mixture SHADOW', 'tukey-fences SHADOW']);
    const zero = detectors.find((detector) => detector.id === 'zero-usage')!;
    expect(zero.kinds.map((kind) => kind.id)).toContain('SILENT_SIM');
    expect(Object.keys(zero.optionsSchema.properties)).toContain('expectedSilence');
    // as the daily run uses them, not as the detector alone would
    const forest = detectors.find(({ id }) => id === 'isolation-forest')!;
    expect(forest.optionsSchema.properties).toMatchObject({
      subsample: { default: 1024 },
      scale: { default: 'logarithmic' },
      shares: { default: 'weighed' },
    });
    expect(await admin.graphql('{ detector(id: "no-such") { id } }')).toEqual({ detector: null });
  });

  it("shows a customer the operator's default until it has a configuration of its own", async () => {
    await app.operator.graphql(configure, { input: { detector: 'zero-usage', mode: 'SHADOW' } });
    const mode = '{ detector(id: "zero-usage") { mode configurations { scope } } }';
    expect(await admin.graphql(mode)).toEqual({ detector: { mode: 'SHADOW', configurations: [] } });
    const { configureDetector } = await admin.graphql<{ configureDetector: object }>(configure, {
      input: { detector: 'zero-usage', mode: 'ENABLED', options: { silentDays: 4 } },
    });
    expect(configureDetector).toMatchObject({
      detector: { mode: 'ENABLED' },
      configuration: { scope: 'CLIENT', mode: 'ENABLED', options: { silentDays: 4 }, fleet: null },
      userErrors: [],
    });
    expect(await other.graphql(mode)).toEqual({ detector: { mode: 'SHADOW', configurations: [] } });
    await admin.graphql(configure, { input: { detector: 'zero-usage', mode: 'DISABLED' } });
    expect(await admin.graphql('{ detector(id: "zero-usage") { configurations { mode options } } }')).toEqual({
      detector: { configurations: [{ mode: 'DISABLED', options: { silentDays: 4 } }] },
    });
    await admin.graphql(configure, { input: { detector: 'zero-usage' } });
    expect(await admin.graphql(mode)).toEqual({ detector: { mode: 'SHADOW', configurations: [] } });
  });

  it("says what is wrong with options, and tells nobody that another's fleet exists", async () => {
    const ask = async (by: Door, input: object) =>
      (await by.graphql<{ configureDetector: { userErrors: { code: string; path: string[] | null }[] } }>(configure, { input }))
        .configureDetector.userErrors;
    expect(await ask(admin, { detector: 'zero-usage', mode: 'ENABLED', options: { silentDays: -1, nonsense: 1 } })).toMatchObject([
      { code: 'OPTIONS_INVALID', path: ['options'] },
    ]);
    expect(await ask(admin, { detector: 'none', mode: 'ENABLED' })).toMatchObject([{ code: 'UNKNOWN_DETECTOR', path: ['detector'] }]);
    const { createFleet } = await admin.graphql<{ createFleet: { fleet: { id: string } } }>(
      'mutation { createFleet(input: { name: "North" }) { fleet { id } } }',
    );
    expect(await ask(admin, { detector: 'zero-usage', scope: { fleet: createFleet.fleet.id }, mode: 'DISABLED' })).toEqual([]);
    const foreign = await ask(other, { detector: 'zero-usage', scope: { fleet: createFleet.fleet.id }, mode: 'DISABLED' });
    const missing = await ask(other, {
      detector: 'zero-usage',
      scope: { fleet: Buffer.from('Fleet:2:00000000-0000-7000-8000-000000000000').toString('base64url') },
      mode: 'DISABLED',
    });
    expect(foreign).toEqual(missing);
    expect(foreign).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(
      await ask(admin, { detector: 'zero-usage', scope: { client: acme, fleet: createFleet.fleet.id }, mode: 'DISABLED' }),
    ).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });

  it('shows runs and baselines to their client only', async () => {
    const world = DetectionWorld.on(app.app.database);
    const clientId = Number(Buffer.from(acme, 'base64url').toString().split(':')[1]);
    const sims = await world.sims(clientId, 5);
    for (let day = 1; day <= 8; day++)
      await world.usage(
        clientId,
        sims.map((sim) => ({ sim, at: `2026-11-0${day}T08:00`, bytes: 1000 })),
      );
    await app.app.settle();
    const runs =
      'query Runs($after: String) { detectionRuns(first: 5, after: $after, filter: { detector: "baseline-multiple" }) { totalCount pageInfo { endCursor } nodes { id day trigger state rowsEvaluated detector { id } client { name } } } }';
    const { detectionRuns: first } = await admin.graphql<{
      detectionRuns: { totalCount: number; pageInfo: { endCursor: string }; nodes: { id: string; day: string }[] };
    }>(runs);
    expect(first.nodes[0]).toMatchObject({ state: 'SUCCEEDED', detector: { id: 'baseline-multiple' }, client: { name: 'Acme' } });
    const { detectionRuns: second } = await admin.graphql<{ detectionRuns: { nodes: { id: string }[] } }>(runs, {
      after: first.pageInfo.endCursor,
    });
    expect(new Set([...first.nodes, ...second.nodes].map((run) => run.id)).size).toBe(10);
    const id = first.nodes[0]!.id;
    expect(await admin.graphql('query One($id: ID!) { detectionRun(id: $id) { id } node(id: $id) { id } }', { id })).toEqual({
      detectionRun: { id },
      node: { id },
    });
    expect(
      await other.graphql('query One($id: ID!) { detectionRun(id: $id) { id } node(id: $id) { id } detectionRuns { nodes { id } } }', {
        id,
      }),
    ).toEqual({ detectionRun: null, node: null, detectionRuns: { nodes: [] } });
    const baselines = '{ baselines(filter: { period: DAY }) { nodes { family period day medianBytes sims days client { name } } } }';
    expect((await admin.graphql<{ baselines: { nodes: object[] } }>(baselines)).baselines.nodes[0]).toEqual({
      family: 'meter',
      period: 'DAY',
      day: expect.any(String),
      medianBytes: 1000,
      sims: 5,
      days: expect.any(Number),
      client: { name: 'Acme' },
    });
    expect(await other.graphql(baselines)).toEqual({ baselines: { nodes: [] } });
  });
});
