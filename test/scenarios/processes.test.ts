/** Several server processes on one PostgreSQL: senders and portals may use any of them, and nobody notices which. */
import { ApiClient } from '../../src/commands/demo/api-client';
import { expectedState, iccidOf, makeCustomer, OPERATOR_KEY, readSim, sendUsage, type Customer } from '../faults/usage-story';
import { createTestDatabase, testServerUrl } from '../support/database';
import { ServerProcess } from '../support/server';
import { Subscriber } from '../support/subscriber';

const SIMS_PER_CUSTOMER = 40;
const RECORDS_PER_BATCH = 3;
/** After how many changes a restless portal hangs up and goes to the next process. */
const PATIENCE = 5;

/** The embedded database is one process's alone; there is no PostgreSQL unless TEST_DATABASE_URL names one. */
const onPostgresql = testServerUrl === null ? describe.skip : describe;

onPostgresql('three processes on one PostgreSQL', () => {
  let servers: ServerProcess[];
  let operators: ApiClient[];
  let customers: Customer[];
  let drop: () => Promise<void>;
  const portals: Subscriber[] = [];

  beforeAll(async () => {
    const database = await createTestDatabase(testServerUrl!);
    drop = database.drop;
    const options = { databaseUrl: database.url, dataDirectory: null, operatorKey: OPERATOR_KEY, startsAt: '2026-11-14T12:00:00Z' };
    servers = await Promise.all([0, 1, 2].map(() => ServerProcess.start(options)));
    operators = servers.map(({ url }) => new ApiClient(url, OPERATOR_KEY));
    customers = await Promise.all(
      operators.map((operator, place) => makeCustomer(operator, `Customer ${place}`, place * SIMS_PER_CUSTOMER, SIMS_PER_CUSTOMER)),
    );
  });
  afterAll(async () => {
    for (const portal of portals) portal.disconnect();
    await Promise.all(servers.map((server) => server.kill()));
    await drop();
  });

  const simsOf = (customer: number): number[] =>
    Array.from({ length: SIMS_PER_CUSTOMER }, (_, index) => customer * SIMS_PER_CUSTOMER + index);
  const openPortal = (field: 'alertChanged' | 'incidentChanged', key: string, server: number): Subscriber => {
    const portal = new Subscriber(field, key);
    portals.push(portal);
    portal.connect(servers[server]!.url);
    return portal;
  };

  /** Goes from process to process, each time with its last cursor, until it has seen `wanted` changes. */
  const wander = async (portal: Subscriber, wanted: number, first: number): Promise<number> => {
    let moves = 0;
    for (let seen = 0; seen < wanted; seen = portal.changes.length) {
      const enough = Math.min(wanted, seen + PATIENCE);
      await portal.change(() => portal.changes.length >= enough);
      portal.disconnect();
      moves += 1;
      portal.connect(servers[(first + moves) % servers.length]!.url);
    }
    return moves;
  };

  test('every portal sees every change once, in one order, and every alert is one, whoever was asked', async () => {
    const operatorPortals = servers.map((_, place) => openPortal('alertChanged', OPERATOR_KEY, place));
    const incidentPortals = servers.map((_, place) => openPortal('incidentChanged', OPERATOR_KEY, place));
    // a customer's portal hangs on another process than the one its data goes to
    const customerPortals = customers.map(({ key }, place) => openPortal('alertChanged', key, (place + 1) % 3));
    const restless = servers.map((_, place) => openPortal('alertChanged', OPERATOR_KEY, place));

    // Every batch mixes customers and goes to all three processes at once.
    const sims = simsOf(0).flatMap((_, index) => customers.map((__, customer) => simsOf(customer)[index]!));
    const batches = Array.from({ length: sims.length / RECORDS_PER_BATCH }, (_, batch) =>
      sims.slice(batch * RECORDS_PER_BATCH, (batch + 1) * RECORDS_PER_BATCH),
    );
    const opened = sims.length;
    const wandering = Promise.all(restless.map((portal, place) => wander(portal, 2 * opened, place)));
    const answers = await Promise.all(
      servers.map(async ({ url }, place) => {
        const own = [];
        for (let turn = 0; turn < batches.length; turn++) {
          const batch = (turn + place) % batches.length;
          own.push(await sendUsage(url, `batch ${batch}`, ...batches[batch]!));
        }
        return own;
      }),
    );
    for (const answer of answers.flat())
      expect(answer).toMatchObject({ status: 200, accepted: RECORDS_PER_BATCH, duplicates: 0, rejected: 0 });

    for (const portal of operatorPortals) await portal.change(() => openings(portal).length >= opened);
    for (const server of servers) await server.settle();
    for (const [customer, { id }] of customers.entries()) {
      await operators[(customer + 2) % 3]!.graphql(
        'mutation Take($input: AcknowledgeAlertsInput!) { acknowledgeAlerts(input: $input) { userErrors { message } } }',
        { input: { filter: { client: id } } },
      );
    }
    const moves = await wandering;
    for (const portal of [...operatorPortals, ...restless]) await portal.change(() => portal.changes.length >= 2 * opened);
    for (const portal of customerPortals) await portal.change(() => portal.changes.length >= 2 * SIMS_PER_CUSTOMER);

    const [first] = operatorPortals;
    expect(new Set(openings(first!).map(({ iccid }) => iccid))).toEqual(new Set(sims.map(iccidOf)));
    for (const portal of [...operatorPortals, ...restless]) expect(portal.changes.map(said)).toEqual(first!.changes.map(said));
    for (const [customer, portal] of customerPortals.entries()) {
      const own = new Set(simsOf(customer).map(iccidOf));
      expect(portal.changes.map(said)).toEqual(first!.changes.filter(({ iccid }) => own.has(iccid!)).map(said));
    }
    for (const portal of incidentPortals) {
      await portal.change(() => openings(portal).length >= opened);
      expect(new Set(openings(portal).map(({ subjectId }) => subjectId)).size).toBe(opened);
    }
    for (const portal of portals) {
      expectNoHole(portal);
      expect(portal.errors).toEqual([]);
    }
    for (const sim of [0, SIMS_PER_CUSTOMER, 2 * SIMS_PER_CUSTOMER + 5])
      expect(await readSim(operators[0]!, sim)).toMatchObject(expectedState(sim, SIMS_PER_CUSTOMER));
    process.stdout.write(
      `three processes: ${opened} alerts, ${first!.changes.length} changes to each portal, restless ones moved ${moves.join(', ')} times\n`,
    );
  });
});

function openings(portal: Subscriber): Subscriber['changes'] {
  return portal.changes.filter(({ fromState }) => fromState === null);
}

function said({ cursor, subjectId, fromState, toState, sequence }: Subscriber['changes'][number]): string {
  return `${cursor} ${subjectId} ${sequence} ${fromState} → ${toState}`;
}

/** Each subject's changes are numbered 1, 2, 3 …, as they came. */
function expectNoHole({ changes }: Subscriber): void {
  const last = new Map<string, number>();
  for (const { subjectId, sequence, gap } of changes) {
    expect(gap).toBeNull();
    expect(sequence).toBe((last.get(subjectId) ?? 0) + 1);
    last.set(subjectId, sequence);
  }
}
