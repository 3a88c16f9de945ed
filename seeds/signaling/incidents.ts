/** Which incidents a population has: Table I's by default, or those asked for, placed on clients, countries, devices and days. */
import { SimwardenError } from '../../src/errors';
import type { SignalingClient } from './clients';
import { makeDevice } from './device';
import { incidentKindNames, incidentKinds, type IncidentKind } from './incident-kinds';
import { countries, countryPlace } from './networks';
import { RandomStream } from './random-stream';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface IncidentPlan {
  readonly kind: IncidentKind;
  /** Place of the client, from 1. */
  readonly client: number;
  /** Devices hit. */
  readonly sims: number;
  /** ISO 3166-1 alpha-2; absent: where the client has most of its devices. */
  readonly country?: string;
  /** Day it begins, counted back from the last (0); absent: 1. */
  readonly daysBeforeEnd?: number;
  /** Whole days; absent: 1. */
  readonly days?: number;
  /** How often its cycle repeats, against the kind's usual; absent: 1. */
  readonly intensity?: number;
}

export interface Incident {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly client: SignalingClient;
  /** Place in `countries`. */
  readonly country: number;
  /** Ordinals of the devices hit, ascending. */
  readonly sims: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly intensity: number;
}

export interface World {
  readonly seed: number;
  readonly clients: readonly SignalingClient[];
  readonly days: number;
  /** UTC midnight after the last day. */
  readonly end: number;
}

interface TableIncident {
  readonly kind: IncidentKind;
  readonly client: number;
  readonly country: string;
  readonly share: number;
  readonly atLeast: number;
  readonly atMost: number;
  readonly daysBeforeEnd: number;
  readonly days: number;
}

/** Table I: kind, client, country and order of size; the days of its October in short. */
const tableIncidents: readonly TableIncident[] = [
  { kind: 'ROAMING_AGREEMENT', client: 1, country: 'ES', share: 0.5, atLeast: 12, atMost: 60, daysBeforeEnd: 5, days: 2 },
  { kind: 'REGISTRATION_LOOP', client: 5, country: 'US', share: 0.6, atLeast: 20, atMost: 3000, daysBeforeEnd: 4, days: 1 },
  { kind: 'PLATFORM_ERROR', client: 2, country: 'AR', share: 0.45, atLeast: 12, atMost: 60, daysBeforeEnd: 3, days: 1 },
  { kind: 'COVERAGE_STORM', client: 4, country: 'SV', share: 0.35, atLeast: 10, atMost: 50, daysBeforeEnd: 2, days: 1 },
  { kind: 'TRAFFIC_BLOCKED', client: 3, country: 'DE', share: 0.5, atLeast: 15, atMost: 400, daysBeforeEnd: 2, days: 1 },
  { kind: 'SERVICE_REJECT', client: 3, country: 'IN', share: 0.55, atLeast: 15, atMost: 700, daysBeforeEnd: 1, days: 2 },
];

/** Table I's incidents on this population; smaller, or left out, where its clients have too few devices. */
export function placeTableIncidents(world: World): Incident[] {
  return tableIncidents.flatMap((one, number) => {
    const client = world.clients[one.client - 1];
    if (!client) return [];
    const candidates = devicesIn(world, client, countryPlace(one.country));
    const wanted = Math.min(one.atMost, Math.max(one.atLeast, Math.round(candidates.length * one.share)));
    const sims = Math.min(wanted, Math.floor(candidates.length * 0.9));
    if (sims === 0) return [];
    // a short population has its incidents in its last half
    const daysBeforeEnd = Math.max(one.days - 1, Math.min(one.daysBeforeEnd, Math.floor(world.days / 2) - 1));
    return [place(world, { ...one, sims, daysBeforeEnd }, candidates, number)];
  });
}

export function placeIncidents(world: World, plans: readonly IncidentPlan[]): Incident[] {
  return plans.map((plan, number) => {
    const client = world.clients[plan.client - 1];
    if (!client)
      throw new SimwardenError('BAD_USER_INPUT', {
        what: `incident ${number + 1}: expected a client from 1 to ${world.clients.length}, got ${plan.client}.`,
      });
    const country = plan.country === undefined ? mainCountry(client) : countryPlace(plan.country);
    if (!client.countries.includes(country)) {
      const known = client.countries.map((own) => countries[own]!.code).join(', ');
      throw new SimwardenError('BAD_USER_INPUT', {
        what: `incident ${number + 1}: expected a country of ${client.name} (${known}), got ${plan.country}.`,
      });
    }
    const candidates = devicesIn(world, client, country);
    if (plan.sims > candidates.length) {
      throw new SimwardenError('BAD_USER_INPUT', {
        what: `incident ${number + 1}: expected at most ${candidates.length} SIMs, which ${client.name} has in ${countries[country]!.code}, got ${plan.sims}.`,
      });
    }
    return place(world, plan, candidates, number);
  });
}

/** `kind:client-sims[@country][+daysBeforeEnd]`, several with commas: `roaming-agreement:1-40@ES,network-outage:3-200+2`. */
export function parseIncidents(text: string): 'default' | IncidentPlan[] {
  if (text === 'default') return 'default';
  if (text === 'none') return [];
  return text.split(',').map((part) => {
    const match = /^([a-z-]+):(\d{1,4})-(\d{1,7})(?:@([A-Z]{2}))?(?:\+(\d{1,3}))?$/.exec(part.trim());
    const kind = match?.[1]!.toUpperCase().replaceAll('-', '_') as IncidentKind | undefined;
    if (!match || !incidentKindNames.includes(kind!) || Number(match[3]) === 0) {
      const kinds = incidentKindNames.map((name) => name.toLowerCase().replaceAll('_', '-')).join(', ');
      throw new SimwardenError('BAD_USER_INPUT', {
        what: `expected default, none or kind:client-sims[@country][+daysBeforeEnd],… with a kind of ${kinds}, got ${part.trim().slice(0, 60)}.`,
      });
    }
    return {
      kind: kind!,
      client: Number(match[2]),
      sims: Number(match[3]),
      ...(match[4] === undefined ? {} : { country: match[4] }),
      ...(match[5] === undefined ? {} : { daysBeforeEnd: Number(match[5]) }),
    };
  });
}

function place(world: World, plan: IncidentPlan, candidates: readonly number[], number: number): Incident {
  const { kind } = plan;
  const client = world.clients[plan.client - 1]!;
  const country = plan.country === undefined ? mainCountry(client) : countryPlace(plan.country);
  const firstDay = world.end - (1 + Math.min(world.days - 1, plan.daysBeforeEnd ?? 1)) * DAY_MS;
  const lastEnd = Math.min(world.end, firstDay + (plan.days ?? 1) * DAY_MS);
  const { hours } = incidentKinds[kind] as { hours?: { from: number; count: number } };
  return {
    id: `${kind.toLowerCase().replaceAll('_', '-')}-${number + 1}`,
    kind,
    client,
    country,
    sims: chosen(world.seed, candidates, plan.sims, number),
    from: firstDay + (hours ? hours.from * HOUR_MS : 0),
    to: hours ? lastEnd - (24 - hours.from - hours.count) * HOUR_MS : lastEnd,
    intensity: plan.intensity ?? 1,
  };
}

function chosen(seed: number, candidates: readonly number[], count: number, number: number): number[] {
  const random = new RandomStream();
  const lots = candidates.map((sim) => ({ sim, lot: random.begin(seed, sim, number, 30).uniform() }));
  return lots
    .sort((a, b) => a.lot - b.lot)
    .slice(0, count)
    .map(({ sim }) => sim)
    .sort((a, b) => a - b);
}

function mainCountry(client: SignalingClient): number {
  return client.countries[client.countryWeights.indexOf(Math.max(...client.countryWeights))]!;
}

export function devicesIn(world: World, client: SignalingClient, country: number): number[] {
  const found: number[] = [];
  for (let sim = client.first; sim < client.first + client.sims; sim++) {
    if (makeDevice(world.seed, client, sim).country === country) found.push(sim);
  }
  return found;
}
