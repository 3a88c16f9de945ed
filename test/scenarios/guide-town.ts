/** A customer's days, told in time order: SIMs send, the clock moves, and what the operator would see is asked through the API. */
import { withLuhnDigit } from '../../seeds/dice';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../support/app';

const SOURCE = 'platform';

export interface SeenAlert {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly occurrenceCount: number;
  readonly firstWindowStart: string;
  readonly lastWindowStart: string;
  readonly sim: { readonly iccid: string } | null;
  readonly fleet: { readonly name: string } | null;
  readonly evidence: readonly { readonly text: string }[];
}

export interface TownSim {
  readonly iccid: string;
  readonly fleet: string;
}

const iccidOf = (number: number) => withLuhnDigit(`8988307${String(number).padStart(11, '0')}`);

export class Town {
  private rows: string[] = [];
  private batches = 0;

  private constructor(
    readonly house: TestApp,
    readonly client: string,
    readonly clientId: string,
    readonly sims: readonly TownSim[],
  ) {}

  /** One client; `fleets`: how many SIMs each has. */
  static async open(client: string, family: string, fleets: Readonly<Record<string, number>>, now: string): Promise<Town> {
    const house = await startTestApp({ now: new Date(now), workers: false });
    const sims: TownSim[] = [];
    for (const [fleet, count] of Object.entries(fleets))
      for (let i = 0; i < count; i++) sims.push({ iccid: iccidOf(sims.length + 1), fleet });
    const rows = sims.map((sim) => `${sim.iccid},${client},${sim.fleet},${family}`);
    await house.operator.ingest('sims', `iccid,client,fleet,family\n${rows.join('\n')}\n`, 'inventory');
    return new Town(house, client, await house.clientId(client), sims);
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** The SIM used so much in the hour that ends at `until`; it is delivered with the next `at`. */
  uses(sim: number, megabytes: number, until: string): this {
    const end = Date.parse(until);
    const bytes = Math.round(megabytes * 1e6);
    this.rows.push([this.sims[sim]!.iccid, new Date(end - 3_600_000).toISOString(), new Date(end).toISOString(), bytes, 0].join(','));
    return this;
  }

  /** Everybody used so much; `but`: these didn't. */
  everybodyUses(megabytes: number, until: string, but: readonly number[] = []): this {
    this.sims.forEach((_, sim) => but.includes(sim) || this.uses(sim, megabytes, until));
    return this;
  }

  /** The clock stands at this moment; what was used since arrives, and everything due is done. */
  async at(moment: string): Promise<this> {
    this.house.clock.set(new Date(moment));
    if (this.rows.length > 0) {
      const body = `iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${this.rows.join('\n')}\n`;
      const headers = {
        'content-type': 'text/csv',
        authorization: `Bearer ${OPERATOR_KEY}`,
        'simwarden-source': SOURCE,
        'idempotency-key': `batch ${this.batches++}`,
      };
      const response = await fetch(new URL('/ingest/usage', this.house.url), { method: 'POST', headers, body });
      const answer = (await response.json()) as { accepted?: number; rejected?: number };
      if (answer.accepted !== this.rows.length) throw new Error(`of ${this.rows.length} rows: ${JSON.stringify(answer)}`);
      this.rows = [];
    }
    await this.house.app.settle();
    return this;
  }

  async limit(input: object): Promise<void> {
    const mutation = 'mutation Limit($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }';
    await this.house.operator.graphql(mutation, { input });
  }

  async fleetId(name: string): Promise<string> {
    const { fleets } = await this.house.operator.graphql<{ fleets: { nodes: { id: string; name: string }[] } }>(
      'query Fleets($client: ID) { fleets(client: $client) { nodes { id name } } }',
      { client: this.clientId },
    );
    return fleets.nodes.find((fleet) => fleet.name === name)!.id;
  }

  async simId(sim: number): Promise<string> {
    const { simByIccid } = await this.house.operator.graphql<{ simByIccid: { id: string } }>(
      'query Sim($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } }',
      { iccid: this.sims[sim]!.iccid },
    );
    return simByIccid.id;
  }

  /** All alerts of the client, of this kind where one is given, the oldest trouble first. */
  async alerts(kind?: string): Promise<SeenAlert[]> {
    const { alerts } = await this.house.operator.graphql<{ alerts: { nodes: SeenAlert[] } }>(
      `query Alerts($filter: AlertFilter) {
        alerts(first: 100, filter: $filter) {
          nodes { id kind severity state occurrenceCount firstWindowStart lastWindowStart sim { iccid } fleet { name } evidence { text } }
        }
      }`,
      { filter: { client: this.clientId, ...(kind ? { kind } : {}) } },
    );
    const place = (alert: SeenAlert) => `${alert.firstWindowStart} ${alert.sim?.iccid ?? ''}`;
    return [...alerts.nodes].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  }

  /** Which SIMs have an open alert of this kind, by their place. */
  async whoIs(kind: string): Promise<number[]> {
    const alerts = (await this.alerts(kind)).filter(({ state }) => state === 'OPEN');
    return alerts.map((alert) => this.sims.findIndex(({ iccid }) => iccid === alert.sim?.iccid)).sort((a, b) => a - b);
  }
}
