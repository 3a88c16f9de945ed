/** A query that is cheap to write may be dear to answer: what it costs follows what the database does for it. */
import { startTestApp, type TestApp } from '../support/app';

let house: TestApp;
let client: string;
beforeAll(async () => {
  house = await startTestApp();
  await house.operator.graphql('mutation { createClient(input: { name: "acme" }) { userErrors { message } } }');
  client = await house.clientId('acme');
});
afterAll(() => house?.close());

const times = (count: number, field: (i: number) => string): string => Array.from({ length: count }, (_, i) => field(i)).join(' ');
const span = 'from: "2026-08-15T00:00:00Z", to: "2026-11-14T00:00:00Z"';

test.each([
  ['counting every list of 100 SIMs', `{ sims(first: 100) { nodes { ${times(10, (i) => `a${i}: alerts(first: 1) { totalCount }`)} } } }`],
  [
    'paging 20 lists of 100 SIMs',
    `{ sims(first: 100) { nodes { ${times(20, (i) => `a${i}: alerts(first: 1) { pageInfo { hasNextPage } }`)} } } }`,
  ],
  [
    'three months of hours, 40 times',
    `{ ${times(40, (i) => `a${i}: usageByTime(${span}, granularity: HOUR, scope: { client: "CLIENT" }) { totalBytes }`)} }`,
  ],
  [
    'three months by SIM, 40 times',
    `{ ${times(40, (i) => `a${i}: usageBySim(${span}, first: 1, scope: { client: "CLIENT" }) { totalCount }`)} }`,
  ],
])('%s is refused before the database hears of it', async (_name, query) => {
  await expect(house.operator.graphql(query.replaceAll('CLIENT', client))).rejects.toThrow('The query may cost');
});

test('a dashboard passes: three months of hours, the largest consumers, and 100 SIMs with their alerts and incidents', async () => {
  const query = `{
    hours: usageByTime(${span}, granularity: HOUR, scope: { client: "CLIENT" }) { from to totalBytes }
    days: usageByTime(${span}, granularity: DAY, scope: { client: "CLIENT" }) { from to totalBytes }
    largest: usageBySim(${span}, first: 20, scope: { client: "CLIENT" }) { totalCount nodes { totalBytes sim { iccid } } }
    top: topConsumers(scope: { client: "CLIENT" }) { rank sim { iccid } }
    sims(first: 100) { totalCount nodes { iccid device { family } alerts(first: 3) { nodes { title } } incidents(first: 3) { nodes { title } } } }
  }`;
  const answer = await house.operator.graphql<{ hours: unknown[] }>(query.replaceAll('CLIENT', client));
  expect(answer.hours).toHaveLength(91 * 24);
});
