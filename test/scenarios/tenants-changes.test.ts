/** What a customer can change of another one's: nothing. Every mutation, as every role, generated from the schema. */
import { ApiClient } from '../../src/commands/demo/api-client';
import { permissions } from '../../src/access/permissions';
import { Role } from '../../src/graphql/caller';
import { namingPlaces } from './crawl-recipes';
import { Crawl, spread, takeStock, without, type Belongings, type Question } from './crawl';
import { AT_LENGTH } from '../support/at-length';
import { testServerUrl } from '../support/database';
import { BravoTraces, digestOf } from './tenant-traces';
import { mutate, openTwoTenants, TENANT_ROLES, type TwoTenants } from './two-tenants';

let two: TwoTenants;
let crawl: Crawl;
let traces: BravoTraces;
let alfaHas: Belongings;
let bravoHas: Belongings;

beforeAll(async () => {
  two = await openTwoTenants();
  const { house, alfa, bravo } = two;
  const { schema, database } = house.app;
  await house.app.settle();
  crawl = new Crawl(house.url, schema);
  traces = await BravoTraces.collect(database, bravo, alfa);
  [alfaHas, bravoHas] = [await takeStock(house.url, schema, alfa), await takeStock(house.url, schema, bravo)];
});
afterAll(() => two?.house.close());

const bravosRows = (): Promise<Record<string, string>> => digestOf(two.house.app.database, two.bravo.clientId);
const mutations = (): Crawl['roots'] => crawl.rootsOf('mutation');
const kinds = ['node', 'identifier', 'text'] as const;

async function answerTo(question: Question, key: string): Promise<string> {
  return (await crawl.answers(question, key)).map((answer) => without(question.given, answer)).join('\n');
}

describe.each(TENANT_ROLES)('alfa as %s', (role) => {
  it('changes nothing by naming what is of bravo: the answer is that for what does not exist', async () => {
    const key = two.alfa.keys[role];
    // An admin tries three of each; the others, whose writing is the same code, one; so does everybody on the embedded database, which is slower.
    const most = AT_LENGTH || (role === 'CLIENT_ADMIN' && testServerUrl !== null) ? 3 : 1;
    const before = await bravosRows();
    let compared = 0;
    for (const root of mutations()) {
      const foreign = crawl.about(root, alfaHas, (recipe) => spread(bravoHas.values(recipe, root), most), kinds);
      const missing = crawl.about(root, alfaHas, (recipe) => bravoHas.missing(recipe, root, two.alfa.clientId), kinds);
      const expected = new Map<string, string>();
      for (const question of [...missing, ...foreign]) {
        const answer = await answerTo(question, key);
        if (!expected.has(question.about)) expected.set(question.about, answer);
        expect([question.about, question.given, answer]).toEqual([question.about, question.given, expected.get(question.about)]);
        expect([question.about, traces.in(answer)]).toEqual([question.about, null]);
        compared += 1;
      }
    }
    await two.house.app.settle();
    expect(await bravosRows()).toEqual(before);
    expect(compared).toBeGreaterThan(60 * most);
  });

  it('changes nothing of bravo where its ids stand among its own', async () => {
    const key = two.alfa.keys[role];
    const before = await bravosRows();
    for (const root of mutations()) {
      const lists = namingPlaces(two.house.app.schema, root).filter(({ place, recipe }) => place.list && recipe.names === 'node');
      for (const { place, recipe } of lists) {
        const mixed = [...spread(alfaHas.values(recipe, root), 1), ...spread(bravoHas.values(recipe, root), 2)];
        for (const question of crawl
          .about(root, alfaHas, () => [mixed], ['node'])
          .filter(({ about }) => about.endsWith(`(${place.path})`))) {
          expect([question.about, traces.in(await answerTo(question, key))]).toEqual([question.about, null]);
        }
      }
    }
    await two.house.app.settle();
    expect(await bravosRows()).toEqual(before);
  });
});

describe('the crawl of changes', () => {
  it('names something of bravo in every mutation but those that name nothing', () => {
    const asked = (name: string): number =>
      crawl.about(
        mutations().find((root) => root.name === name)!,
        alfaHas,
        (recipe, root) => bravoHas.values(recipe, root),
        kinds,
      ).length;
    expect(
      mutations()
        .map(({ name }) => name)
        .filter((name) => asked(name) === 0),
    ).toEqual(['Mutation.createClient', 'Mutation.runDetection', 'Mutation.fitModels']);
  });

  it('asks what would work: bravo itself changes its rows with the same questions', async () => {
    const { house, bravo } = two;
    const ineffective: string[] = [];
    // one that waits, to be cancelled
    const days = { from: '2026-11-03', to: '2026-11-04' };
    await mutate(new ApiClient(house.url, bravo.keys.CLIENT_ADMIN), 'backtestDetector', { detector: 'threshold', ...days });
    bravoHas = await takeStock(house.url, house.app.schema, bravo);
    const allowed = mutations().filter(({ name }) => permissions[name]!.includes(Role.CLIENT_ADMIN));
    // incidents are merged before the others close them
    for (const root of allowed.sort(
      (a, b) => Number(b.name === 'Mutation.mergeIncidents') - Number(a.name === 'Mutation.mergeIncidents'),
    )) {
      const before = await bravosRows();
      const questions = [
        ...crawl.about(root, bravoHas, (recipe) => bravoHas.values(recipe, root).slice(0, 8), kinds),
        crawl.plain(root, bravoHas)!,
      ];
      let changed = false;
      for (const question of questions) {
        const [answer] = await crawl.answers(question, bravo.keys.CLIENT_ADMIN);
        if ('errors' in (JSON.parse(answer!.body) as object)) throw new Error(`${question.about}: ${answer!.body}`);
        changed = JSON.stringify(await bravosRows()) !== JSON.stringify(before);
        if (changed) break;
      }
      if (!changed) ineffective.push(root.name);
    }
    await house.app.settle();
    expect(ineffective).toEqual([]);
  });
});
