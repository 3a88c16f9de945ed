/** What a customer hears live of another one: nothing. Every subscription, as every role, generated from the schema. */
import { permissions } from '../../src/access';
import { ApiClient } from '../../src/commands/demo/api-client';
import { Role } from '../../src/graphql/caller';
import { liveCursor } from '../../src/graphql/live-cursor';
import { SocketPeer, codeIn, type Heard } from '../api/graphql/socket-peer';
import { Crawl, isForAdmins, spread, takeStock, type Belongings, type Question } from './crawl';
import { BravoTraces } from './tenant-traces';
import { mutate, openTwoTenants, TENANT_ROLES, type Tenant, type TenantRole, type TwoTenants } from './two-tenants';

let two: TwoTenants;
let crawl: Crawl;
let traces: BravoTraces;
let alfaHas: Belongings;
let bravoHas: Belongings;
const listeners: Listener[] = [];

/** One socket with many subscriptions, named by what they ask. */
class Listener {
  private constructor(
    readonly role: TenantRole,
    readonly peer: SocketPeer,
    readonly names: ReadonlyMap<string, string>,
  ) {}

  static async open(tenant: Tenant, role: TenantRole, questions: readonly Question[]): Promise<Listener> {
    const peer = await SocketPeer.greeted(`${two.house.url.replace(/^http/, 'ws')}/graphql`, tenant.keys[role]);
    const names = new Map(questions.map((question, i) => [String(i), `${question.about} ${JSON.stringify(question.variables)}`]));
    questions.forEach((question, i) => peer.subscribe(String(i), question.documents[0]!.text, question.variables));
    const listener = new Listener(role, peer, names);
    await listener.catchUp();
    listeners.push(listener);
    return listener;
  }

  /** A query on the same socket: what it follows was sent before. */
  async catchUp(): Promise<void> {
    await two.house.app.settle();
    const id = `query ${this.peer.heard.length}`;
    this.peer.subscribe(id, '{ viewer { name } }');
    for (let said = await this.peer.next(); said.id !== id || said.type !== 'complete';) said = await this.peer.next();
  }

  heardBy(about: string): Heard[] {
    const ids = new Set([...this.names].filter(([, name]) => name.startsWith(`${about} `)).map(([id]) => id));
    return this.peer.heard.filter(({ id, type }) => ids.has(id ?? '') && type === 'next');
  }
}

/** Runs over the population are the operator's: a test of their own shows that customers hear nothing of them. */
const subscriptions = (): Crawl['roots'] => crawl.rootsOf('subscription').filter(({ name }) => isForAdmins(name));
const plain = (own: Belongings): Question[] => subscriptions().map((root) => crawl.plain(root, own)!);
const naming = (own: Belongings, theirs: Belongings): Question[] =>
  subscriptions().flatMap((root) => crawl.about(root, own, (recipe) => spread(theirs.values(recipe, root), 20), ['node']));
const missing = (): Question[] =>
  subscriptions().flatMap((root) => crawl.about(root, alfaHas, (recipe) => bravoHas.missing(recipe, root, two.alfa.clientId), ['node']));
/** Back-tests are over once the house has settled: of their progress one hears what was. */
const askedAs = ({ name }: Crawl['roots'][number]): string => (name === 'Subscription.backtestProgress' ? `${name}(after)` : name);
const replaying = (own: Belongings): Question[] =>
  subscriptions().flatMap((root) => crawl.about(root, own, () => [liveCursor('0')], ['position']));

/** One event of each kind at least: an alert, an incident, a block. */
async function changeSomething(tenant: Tenant, own: Belongings): Promise<void> {
  const admin = new ApiClient(two.house.url, tenant.keys.CLIENT_ADMIN);
  const { alerts, incidents } = await admin.graphql<Record<'alerts' | 'incidents', { nodes: { id: string }[] }>>(
    '{ alerts(filter: { state: [OPEN] }) { nodes { id } } incidents(filter: { state: [OPEN] }) { nodes { id } } }',
  );
  await mutate(admin, 'acknowledgeAlerts', { ids: alerts.nodes.map(({ id }) => id) });
  for (const { id } of incidents.nodes) await mutate(admin, 'updateIncident', { incident: id, title: `${tenant.mark} incident retold` });
  await mutate(admin, 'unblockSim', { sims: own.idsOf('Sim'), reason: `${tenant.mark} all free` });
  await two.house.app.settle();
}

beforeAll(async () => {
  two = await openTwoTenants();
  const { house, alfa, bravo } = two;
  await house.app.settle();
  crawl = new Crawl(house.url, house.app.schema);
  traces = await BravoTraces.collect(house.app.database, bravo, alfa);
  [alfaHas, bravoHas] = [await takeStock(house.url, house.app.schema, alfa), await takeStock(house.url, house.app.schema, bravo)];
});
afterAll(async () => {
  await SocketPeer.closeAll();
  await two?.house.close();
});

it('while bravo lives, alfa hears of alfa alone, whatever it asks for; bravo hears of bravo', async () => {
  const { alfa, bravo } = two;
  const readers = TENANT_ROLES.filter((role) => role !== 'INGEST');
  const foreign = [...plain(alfaHas), ...naming(alfaHas, bravoHas), ...missing(), ...replaying(alfaHas)];
  for (const role of readers) for (const part of chunks(foreign, 90)) await Listener.open(alfa, role, part);
  const alfas = [...listeners];
  const bravos = [];
  for (const part of chunks([...plain(bravoHas), ...naming(bravoHas, bravoHas)], 90))
    bravos.push(await Listener.open(bravo, 'EMBED', part));
  bravos.push(await Listener.open(bravo, 'CLIENT_VIEWER', replaying(bravoHas)));

  await changeSomething(bravo, bravoHas);
  await changeSomething(alfa, alfaHas);
  for (const listener of listeners) await listener.catchUp();

  // alfa's own change came last; who heard it had been offered all of bravo's before
  for (const root of subscriptions()) {
    for (const role of readers.filter((one) => permissions[root.name]!.includes(Role[one]))) {
      const heard = alfas.filter((listener) => listener.role === role).flatMap((listener) => listener.heardBy(askedAs(root)));
      expect([root.name, role, heard.length > 0]).toEqual([root.name, role, true]);
    }
    expect([root.name, bravos.some((listener) => listener.heardBy(askedAs(root)).length > 0)]).toEqual([root.name, true]);
  }
  for (const { peer } of alfas) for (const message of peer.heard) expect(traces.in(JSON.stringify(message))).toBeNull();
  // a foreign id is answered as a missing one: by silence
  for (const { about } of [...naming(alfaHas, bravoHas), ...missing()]) {
    expect([about, alfas.flatMap((listener) => listener.heardBy(about))]).toEqual([about, []]);
    // bravo's back-tests are over: what it hears of them, above, is the replay
    if (about.startsWith('Subscription.backtestProgress')) continue;
    expect([about, bravos.some((listener) => listener.heardBy(about).length > 0)]).toEqual([about, true]);
  }
  // the replay from the beginning of the log has all of alfa's history, and only that
  for (const { about } of replaying(alfaHas))
    expect([about, alfas.flatMap((listener) => listener.heardBy(about)).length > 3]).toEqual([about, true]);
  for (const { peer } of bravos) expect(traces.in(JSON.stringify(peer.heard))).not.toBeNull();
});

it('an ingest key hears nothing at all', async () => {
  const listener = await Listener.open(two.alfa, 'INGEST', [...plain(alfaHas), ...naming(alfaHas, bravoHas)]);
  const errors = listener.peer.heard.filter(({ type }) => type === 'error');
  expect(new Set(errors.map(codeIn))).toEqual(new Set(['FORBIDDEN']));
  expect(errors).toHaveLength(listener.names.size);
});

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
