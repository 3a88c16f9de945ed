/** Servers that are killed one after the other while senders send and portals listen: how much was lost or doubled in the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '../../src/commands/demo/api-client';
import { seededRandom } from '../../src/detector/numeric';
import { ServerProcess } from '../support/server';
import { Subscriber } from '../support/subscriber';
import { makePlace, type Place } from './place';
import { DAY, iccidOf, makeCustomer, OPERATOR_KEY, sendUsage, SPENT_BYTES, type Customer } from './usage-story';

export interface Siege {
  /** PostgreSQL only; the embedded database has one. */
  readonly processes: number;
  readonly kills: number;
  readonly alerts: number;
  readonly seed: number;
}

export interface Toll {
  readonly seconds: number;
  readonly acknowledgedLost: number;
  readonly recordsDoubled: number;
  readonly alertsLost: number;
  readonly alertsDoubled: number;
  readonly incidentsDoubled: number;
  /** For each portal: openings that it missed, that it saw more than once, and changes out of their order. */
  readonly portals: readonly {
    readonly missed: number;
    readonly twice: number;
    readonly disorder: number;
    readonly refusals: readonly string[];
  }[];
  readonly reconnects: number;
  readonly sentAgain: number;
}

const SENDERS = 4;
const RECORDS_PER_BATCH = 5;
/** A minute's lease of a killed process is three seconds; the clocks of all processes agree. */
const CLOCK_RATE = 20;
const CUSTOMERS = 3;

/** Kills come in proportion to what is sent, at moments that the seed decides. */
export async function lay(siege: Siege): Promise<Toll> {
  const town = await Town.found(siege);
  try {
    return await town.endure();
  } finally {
    await town.leave();
  }
}

class Town {
  private readonly random: () => number;
  private readonly servers: Promise<ServerProcess>[] = [];
  private readonly portals: Subscriber[] = [];
  private readonly openedAt = performance.now();
  private customers: Customer[] = [];
  private killed = 0;
  private reconnects = 0;
  private sentAgain = 0;
  private over = false;

  private constructor(
    private readonly siege: Siege,
    private readonly place: Place,
  ) {
    this.random = seededRandom(siege.seed);
  }

  static async found(siege: Siege): Promise<Town> {
    const town = new Town(siege, await makePlace());
    for (let server = 0; server < (town.place.databaseUrl === null ? 1 : siege.processes); server++) town.servers.push(town.startServer());
    const operator = await town.operator();
    const each = Math.ceil(siege.alerts / CUSTOMERS);
    for (let customer = 0; customer < CUSTOMERS; customer++)
      town.customers.push(
        await makeCustomer(operator, `Customer ${customer}`, customer * each, Math.min(each, siege.alerts - customer * each)),
      );
    return town;
  }

  async endure(): Promise<Toll> {
    for (const key of [OPERATOR_KEY, OPERATOR_KEY, ...this.customers.map((customer) => customer.key)]) this.openPortal(key);
    const startedAt = performance.now();
    const batches = this.batches();
    const sent = { batches: 0 };
    await Promise.all([
      this.killAll(() => sent.batches / batches.length),
      ...Array.from({ length: SENDERS }, async () => {
        while (sent.batches < batches.length) {
          const batch = sent.batches++;
          // not ahead of the kills
          while (sent.batches / batches.length > (this.killed + 1) / this.siege.kills) await pause(20);
          await this.sendUntilAnswered(batch, batches[batch]!);
        }
      }),
    ]);
    for (const [place, portal] of this.portals.entries()) {
      const expected = this.simsOf(place).length;
      const opened = new Set<string | null>();
      await portal.change(({ fromState, iccid }) => fromState === null && opened.add(iccid).size >= expected);
    }
    return this.count((performance.now() - startedAt) / 1000);
  }

  async leave(): Promise<void> {
    this.over = true;
    for (const portal of this.portals) portal.disconnect();
    for (const server of this.servers) await (await server).kill();
    await this.place.remove();
  }

  private startServer(): Promise<ServerProcess> {
    const startsAt = Date.parse(`${DAY}T12:00:00Z`) + CLOCK_RATE * (performance.now() - this.openedAt);
    const { databaseUrl, dataDirectory } = this.place;
    return ServerProcess.start({
      databaseUrl,
      dataDirectory,
      operatorKey: OPERATOR_KEY,
      startsAt: new Date(startsAt).toISOString(),
      clockRate: CLOCK_RATE,
    });
  }

  private async killAll(progress: () => number): Promise<void> {
    for (; this.killed < this.siege.kills; this.killed++) {
      // in the midst of the work that belongs to this kill
      while (progress() < (this.killed + this.random()) / this.siege.kills) await pause(5);
      const victim = Math.floor(this.random() * this.servers.length);
      const server = await this.servers[victim]!;
      await pause(this.random() * 200);
      const killed = server.kill();
      this.servers[victim] = killed.then(() => this.startServer());
      // where there are others, they carry on meanwhile
      await this.servers[victim];
    }
  }

  private async someServer(): Promise<ServerProcess> {
    return this.servers[Math.floor(this.random() * this.servers.length)]!;
  }

  private async operator(): Promise<ApiClient> {
    return new ApiClient((await this.someServer()).url, OPERATOR_KEY);
  }

  private openPortal(key: string): void {
    const portal = new Subscriber('alertChanged', key);
    const connect = async (): Promise<void> => {
      const server = await this.someServer();
      if (!this.over) portal.connect(server.url);
    };
    portal.onLost = () => {
      this.reconnects += 1;
      void pause(50).then(connect);
    };
    this.portals.push(portal);
    void connect();
  }

  private async sendUntilAnswered(batch: number, numbers: readonly number[]): Promise<void> {
    for (;;) {
      const server = await this.someServer();
      const answer = await sendUsage(server.url, `batch ${batch}`, ...numbers);
      if (answer?.status === 200) return void expect(answer).toMatchObject({ accepted: numbers.length, duplicates: 0, rejected: 0 });
      this.sentAgain += 1;
      await pause(20);
    }
  }

  /** Each mixes customers. */
  private batches(): number[][] {
    const sims = Array.from({ length: this.siege.alerts }, (_, sim) => sim);
    for (let last = sims.length - 1; last > 0; last--) {
      const other = Math.floor(this.random() * (last + 1));
      [sims[last], sims[other]] = [sims[other]!, sims[last]!];
    }
    return Array.from({ length: Math.ceil(sims.length / RECORDS_PER_BATCH) }, (_, batch) =>
      sims.slice(batch * RECORDS_PER_BATCH, (batch + 1) * RECORDS_PER_BATCH),
    );
  }

  /** Those that the portal at this place sees. */
  private simsOf(portal: number): number[] {
    const each = Math.ceil(this.siege.alerts / CUSTOMERS);
    const all = Array.from({ length: this.siege.alerts }, (_, sim) => sim);
    return portal < 2 ? all : all.filter((sim) => Math.floor(sim / each) === portal - 2);
  }

  private async count(seconds: number): Promise<Toll> {
    const operator = await this.operator();
    const bytes = new Map<string, string>();
    for (const { id } of this.customers)
      for (const node of await pages<{ totalBytes: string; sim: { iccid: string } }>(operator, usageOfSims, { client: id }))
        bytes.set(node.sim.iccid, node.totalBytes);
    const alerts = countBySim(await pages(operator, alertsOfClients, {}));
    const incidents = countBySim(await pages(operator, incidentsOfClients, {}));
    const iccids = Array.from({ length: this.siege.alerts }, (_, sim) => iccidOf(sim));
    return {
      seconds,
      acknowledgedLost: iccids.filter((iccid) => BigInt(bytes.get(iccid) ?? 0) < SPENT_BYTES).length,
      recordsDoubled: iccids.filter((iccid) => BigInt(bytes.get(iccid) ?? 0) > SPENT_BYTES).length,
      alertsLost: iccids.filter((iccid) => !alerts.has(iccid)).length,
      alertsDoubled: iccids.filter((iccid) => (alerts.get(iccid) ?? 0) > 1).length,
      incidentsDoubled: iccids.filter((iccid) => incidents.get(iccid) !== 1).length,
      portals: this.portals.map((portal, place) => {
        const openings = portal.changes.filter(({ fromState }) => fromState === null).map(({ iccid }) => iccid!);
        const seen = new Set(openings);
        return {
          missed: this.simsOf(place).filter((sim) => !seen.has(iccidOf(sim))).length,
          twice: openings.length - seen.size,
          disorder: disorderOf(portal),
          refusals: portal.errors,
        };
      }),
      reconnects: this.reconnects,
      sentAgain: this.sentAgain,
    };
  }
}

const usageOfSims = `query Usage($client: ID!, $after: String) {
  page: usageBySim(scope: { client: $client }, from: "${DAY}T00:00:00Z", to: "${DAY}T23:00:00Z", first: 100, after: $after) {
    nodes { totalBytes sim { iccid } } pageInfo { hasNextPage endCursor }
  }
}`;
const alertsOfClients = `query Alerts($after: String) {
  page: alerts(first: 100, after: $after) { nodes { sim { iccid } } pageInfo { hasNextPage endCursor } }
}`;
const incidentsOfClients = `query Incidents($after: String) {
  page: incidents(first: 100, after: $after) { nodes { sim { iccid } } pageInfo { hasNextPage endCursor } }
}`;

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function pages<Node>(operator: ApiClient, query: string, variables: Record<string, unknown>): Promise<Node[]> {
  const nodes: Node[] = [];
  let after: string | null = null;
  do {
    const { page }: { page: Page<Node> } = await operator.graphql<{ page: Page<Node> }>(query, { ...variables, after });
    nodes.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return nodes;
}

function countBySim(nodes: readonly { readonly sim: { readonly iccid: string } }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { sim } of nodes) counts.set(sim.iccid, (counts.get(sim.iccid) ?? 0) + 1);
  return counts;
}

/** Changes of a subject that did not follow the one before by one. */
function disorderOf({ changes }: Subscriber): number {
  const last = new Map<string, number>();
  let disorder = 0;
  for (const { subjectId, sequence } of changes) {
    if (sequence !== (last.get(subjectId) ?? 0) + 1) disorder += 1;
    last.set(subjectId, sequence);
  }
  return disorder;
}

export function inWords({ kills, alerts }: Siege, toll: Toll): string {
  const portals = toll.portals
    .map(({ missed, twice, disorder, refusals }) => [`${missed}/${twice}/${disorder}`, ...refusals].join(' '))
    .join(', ');
  return (
    `${kills} kills, ${alerts} alerts in ${toll.seconds.toFixed(0)} s (${toll.sentAgain} batches sent again, ${toll.reconnects} reconnects): ` +
    `${toll.acknowledgedLost} records lost, ${toll.recordsDoubled} doubled; ${toll.alertsLost} alerts lost, ${toll.alertsDoubled} doubled; ` +
    `${toll.incidentsDoubled} incidents not one; portals missed/doubled/disordered: ${portals}`
  );
}
