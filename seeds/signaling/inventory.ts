/** The simulated SIMs as the inventory that an operator imports, and the truth about them. */
import { withLuhnDigit } from '../dice';
import type { SignalingClient } from './clients';
import { makeDevice } from './device';
import { incidentKinds } from './incident-kinds';
import { countries } from './networks';
import { clientOf, type SignalingPopulation } from './population';

/** Device model families by cluster; a TAC (here without its last digit) is a modem model and so a radio technology. */
const models = [
  { family: 'sensor-2g', tac: '3587421' },
  { family: 'gateway-4g', tac: '8640115' },
  { family: 'van-unit-3g', tac: '3522906' },
  { family: 'fleet-hub', tac: '8671340' },
  { family: 'city-box', tac: '3561208' },
] as const;

const LINES_PER_BLOCK = 10_000;

/** The last ten digits of its IMSI. */
function serial(client: SignalingClient, sim: number): string {
  return String(client.imsiBase + sim).padStart(10, '0');
}

export function iccidOf(client: SignalingClient, sim: number): string {
  return withLuhnDigit(client.iccidPrefix + serial(client, sim).padStart(18 - client.iccidPrefix.length, '0'));
}

export function imsiOf(client: SignalingClient, sim: number): string {
  return client.imsiPrefix + serial(client, sim);
}

/** Lines of `sims.csv` without the header, in blocks; `clients`: whose SIMs. */
export function* inventoryLines(population: SignalingPopulation, clients: readonly SignalingClient[]): Generator<string> {
  let lines: string[] = [];
  for (const client of clients) {
    for (let sim = client.first; sim < client.first + client.sims; sim++) {
      const { family, tac } = models[makeDevice(population.seed, client, sim).cluster]!;
      const imei = withLuhnDigit(tac + String(sim % 10_000_000).padStart(7, '0'));
      lines.push(
        `${iccidOf(client, sim)},${imsiOf(client, sim)},8821${serial(client, sim)},${client.name},${client.fleet},${family},${imei},NORMAL\n`,
      );
      if (lines.length < LINES_PER_BLOCK) continue;
      yield lines.join('');
      lines = [];
    }
  }
  if (lines.length > 0) yield lines.join('');
}

/** An incident as `truth.json` tells it. `seenIn`: the kinds of records that show it. */
export interface TrueStory {
  readonly id: string;
  readonly kind: string;
  readonly rootCause: string;
  readonly client: string;
  readonly country: string;
  readonly iccids: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly seenIn: readonly string[];
}

export function trueStories(population: SignalingPopulation): TrueStory[] {
  return population.incidents.map(({ id, kind, client, country, sims, from, to }) => ({
    id,
    kind,
    rootCause: incidentKinds[kind].rootCause,
    client: client.name,
    country: countries[country]!.code,
    iccids: sims.map((sim) => iccidOf(clientOf(population, sim), sim)),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    seenIn: ['DIALOGUES'],
  }));
}
