/** What a customer can learn of another one by asking: nothing. Every query and every node, as every role, generated from the schema. */
import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { Crawl, isForAdmins, spread, takeStock, without, type Belongings, type Question } from './crawl';
import { AT_LENGTH } from '../support/at-length';
import { testServerUrl } from '../support/database';
import { BravoTraces, countsOf } from './tenant-traces';
import { openTwoTenants, TENANT_ROLES, type Tenant, type TenantRole, type TwoTenants } from './two-tenants';

let two: TwoTenants;
let crawl: Crawl;
/** Asks as deep, but where the answers are large only a few times. */
let shallow: Crawl;
let traces: BravoTraces;
let alfaHas: Belongings;
let bravoHas: Belongings;
/** Everything that alfa was answered before bravo had anything. */
const before = new Map<string, string>();

beforeAll(async () => {
  two = await openTwoTenants({
    beforeBravo: async (house, alfa) => {
      await house.app.settle();
      crawl = new Crawl(house.url, house.app.schema);
      shallow = new Crawl(house.url, house.app.schema, { queryDepth: 3, first: 10 });
      // a key shows when it was used; from here on each was
      for (const role of TENANT_ROLES) await crawl.post('{ viewer { name } }', {}, alfa.keys[role]);
      alfaHas = await takeStock(house.url, house.app.schema, alfa);
      await answersOf(alfa, before);
    },
  });
  const { house, bravo, alfa } = two;
  traces = await BravoTraces.collect(house.app.database, bravo, alfa);
  bravoHas = await takeStock(house.url, house.app.schema, bravo);
});
afterAll(() => two?.house.close());

/** What a tenant is told about its own: each query as deep as it goes and with its ids for its admin, plainly for every role. */
async function answersOf(tenant: Tenant, into: Map<string, string>): Promise<void> {
  const ask = async (questions: readonly Question[], role: TenantRole): Promise<void> => {
    for (const question of questions) {
      for (const [i, { status, body }] of (await crawl.answers(question, tenant.keys[role])).entries()) {
        into.set([role, question.about, JSON.stringify(question.variables), question.documents[i]!.text].join(' '), `${status} ${body}`);
      }
    }
  };
  const plainQuestions = (asker: Crawl): Question[] => asker.rootsOf('query').flatMap((root) => asker.plain(root, alfaHas) ?? []);
  await ask(plainQuestions(crawl), 'CLIENT_ADMIN');
  await ask(ownQuestions(shallow, alfaHas), 'CLIENT_ADMIN');
  for (const role of TENANT_ROLES) await ask(plainQuestions(shallow), role);
}

function ownQuestions(asker: Crawl, own: Belongings, most = 1): Question[] {
  return asker.rootsOf('query').flatMap((root) => {
    const plain = asker.plain(root, own);
    return [
      ...(plain ? [plain] : []),
      ...asker.about(root, own, (recipe) => spread(own.values(recipe, root), most), ['node', 'identifier', 'text']),
    ];
  });
}

/** Where an answer stands in its document, and what it cost, is no news. */
function plainly(answer: string): string {
  return answer.replace(/"cost":\d+/g, '').replace(/"locations":\[[^\]]*\]/g, '');
}

/** Population models and runs are the operator's; the others hold dialogues on their way in, and are empty once a day is done. */
const heldByOthers = new Set([
  'population_checkpoint',
  'population_cluster',
  'population_generation',
  'population_model',
  'population_run',
  'dialogue_cell',
  'dialogue_segment',
  'signaling_part',
]);

describe('two customers in one house', () => {
  it('both have rows in every table', async () => {
    const empty = Object.entries(await countsOf(two.house.app.database, two.bravo.clientId)).filter(
      ([table, rows]) => rows === 0 && !heldByOthers.has(table),
    );
    expect(empty).toEqual([]);
    const types = crawl.roots.find(({ name }) => name === 'Query.node')!;
    const nodeTypes = two.house.app.schema.getPossibleTypes(two.house.app.schema.getType(String(types.field.type)) as never);
    expect(nodeTypes.map(({ name }) => name).filter((name) => bravoHas.idsOf(name).length === 0)).toEqual(['PopulationRun']);
  });

  it('each sees itself in every answer, so that the crawl looks where there is something to see', async () => {
    const seen = new Set<string>();
    for (const question of ownQuestions(shallow, bravoHas, 6)) {
      if (!isForAdmins(question.root.name)) continue;
      if (question.about === 'Query.topConsumers(scope.sim)') continue; // refused: one SIM has no top consumers
      for (const answer of await crawl.answers(question, two.bravo.keys.CLIENT_ADMIN)) {
        if (answer.status !== 200 || answer.body.includes('"errors":')) throw new Error(`${question.about}: ${answer.body}`);
        if (traces.in(answer.body) !== null) seen.add(question.root.name);
      }
    }
    const numbersOnly = ['Query.clusters', 'Query.simFeatures', 'Query.featureCatalogue', 'Query.signalingMatrix', 'Query.usageByTime'];
    expect(
      crawl
        .rootsOf('query')
        .map(({ name }) => name)
        .filter((name) => isForAdmins(name) && !seen.has(name)),
    ).toEqual(numbersOnly);
  });

  it('alfa is answered the same, byte for byte, whether bravo has anything or not', async () => {
    const after = new Map<string, string>();
    await answersOf(two.alfa, after);
    expect(after.size).toBe(before.size);
    expect([...after].filter(([question, answer]) => before.get(question) !== answer).slice(0, 3)).toEqual([]);
    expect([...after.values()].map((answer) => traces.in(answer)).filter((trace) => trace !== null)).toEqual([]);
  });
});

/**
 * An admin asks all there is; the others, whose reading is the same code, some of it; and on the embedded database, whose policies are those of the same
 * migrations and whose answers take three times as long, everybody.
 */
function thoroughness(role: TenantRole): { readonly asker: Crawl; readonly most: number; readonly nodes: number } {
  return AT_LENGTH || (role === 'CLIENT_ADMIN' && testServerUrl !== null)
    ? { asker: crawl, most: 3, nodes: Infinity }
    : { asker: shallow, most: 1, nodes: 5 };
}

describe.each(TENANT_ROLES)('alfa as %s', (role) => {
  it('learns nothing by naming what is of bravo: the answer is that for what does not exist', async () => {
    const key = two.alfa.keys[role];
    const { asker, most } = thoroughness(role);
    let compared = 0;
    for (const root of asker.rootsOf('query').filter(({ name }) => name !== 'Query.node')) {
      const foreign = asker.about(root, alfaHas, (recipe) => spread(bravoHas.values(recipe, root), most), ['node', 'identifier', 'text']);
      const missing = asker.about(root, alfaHas, (recipe) => bravoHas.missing(recipe, root, two.alfa.clientId), [
        'node',
        'identifier',
        'text',
      ]);
      const expected = new Map<string, string>();
      for (const question of [...missing, ...foreign]) {
        const answer = (await asker.answers(question, key)).map((one) => without(question.given, one)).join('\n');
        if (!expected.has(question.about)) expected.set(question.about, answer);
        expect([question.about, question.given, answer]).toEqual([question.about, question.given, expected.get(question.about)]);
        expect([question.about, traces.in(answer)]).toEqual([question.about, null]);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(50 * most);
  });

  it('reaches no object of bravo through node(id)', async () => {
    const root = crawl.roots.find(({ name }) => name === 'Query.node')!;
    const ids = [...bravoHas.ids.values()].flatMap((known) => spread([...known], thoroughness(role).nodes));
    const [absent] = crawl.about(root, alfaHas, () => bravoHas.missing({ names: 'node', type: 'Sim' }, root, two.alfa.clientId), ['node']);
    const nothing = (await crawl.answers(absent!, two.alfa.keys[role])).map((one) => without(absent!.given, one))[0];
    for (const question of crawl.about(root, alfaHas, () => ids, ['node'])) {
      for (const answer of await crawl.answers(question, two.alfa.keys[role])) {
        expect([question.given, plainly(without(question.given, answer))]).toEqual([question.given, plainly(nothing!)]);
      }
    }
  });

  it("gets its own items alone after a cursor of bravo's", async () => {
    const { asker } = thoroughness(role);
    for (const root of asker.rootsOf('query')) {
      for (const question of asker.about(root, alfaHas, (recipe) => bravoHas.values(recipe, root), ['position'])) {
        for (const answer of await asker.answers(question, two.alfa.keys[role])) {
          expect([question.about, traces.in(without(question.given, answer))]).toEqual([question.about, null]);
        }
      }
    }
  });
});

describe('what is added to the API', () => {
  const withField = (query: string): Crawl => {
    const extended = printSchema(lexicographicSortSchema(two.house.app.schema)).replace('type Query {', `type Query {\n${query}\n`);
    return new Crawl(two.house.url, buildSchema(extended));
  };

  it('is crawled by itself where its arguments name what is known', () => {
    const added = withField('lamps(client: ID, sim: ID): SimConnection!');
    const root = added.roots.find(({ name }) => name === 'Query.lamps')!;
    const questions = added.about(root, alfaHas, (recipe) => spread(bravoHas.values(recipe, root), 1), ['node']);
    expect(questions.map(({ about }) => about)).toEqual(['Query.lamps(client)', 'Query.lamps(sim)']);
    expect(questions.map(({ variables }) => variables)).toEqual([{ client: two.bravo.id }, { sim: bravoHas.idsOf('Sim')[0] }]);
  });

  it.each(['lamp(lamp: ID!): Sim', 'lamp(id: ID!): Detector', 'lamp(colour: Text): Sim', 'lamp(shape: JSON): Sim'])(
    'stops the crawl until somebody says what its arguments name: %s',
    (field) => {
      const added = withField(field);
      const root = added.roots.find(({ name }) => name === 'Query.lamp')!;
      expect(() => added.plain(root, alfaHas)).toThrow(/no recipe for Query.lamp\(/);
    },
  );

  it('stops the crawl below the root too', () => {
    const extended = printSchema(two.house.app.schema).replace('type Viewer {', 'type Viewer {\n  lamp(lamp: ID): String\n');
    const added = new Crawl(two.house.url, buildSchema(extended));
    const root = added.roots.find(({ name }) => name === 'Query.viewer')!;
    expect(() => added.about(root, alfaHas, () => [], ['node'])).toThrow(/no recipe for Viewer.lamp\(lamp\)/);
  });
});
