/** A population of roaming devices with known truth: who they are, what they do on a day, and what goes wrong with some of them. */
import { SimwardenError } from '../../src/errors';
import { CONTROL, makeClients, type SignalingClient } from './clients';
import { clusters, TABLE_MIX } from './clusters';
import { makeDevice, type Device } from './device';
import { placeIncidents, placeTableIncidents, type Incident, type IncidentPlan } from './incidents';

const DAY_MS = 86_400_000;

/** Volume that gives about the paper's dialogues per device (10 billion in two months, DOMAIN §5), where 1 gives its Table III. */
export const USUAL_VOLUME = 0.31;

export interface SignalingOptions {
  /** SIMs in all; at least one per client. */
  readonly sims: number;
  readonly days: number;
  /** 0 to 2^31 - 1; SIMs of seeds equal modulo 1,000 carry the same identifiers. */
  readonly seed: number;
  /** UTC midnight after the last day. */
  readonly end: Date;
  /** Dialogues per device against Table III; default 0.31. */
  readonly volume?: number;
  /** Clients, the five of Table I and the control first; default 40. */
  readonly clients?: number;
  /** Shares of Table III's five clusters, as any five weights; default the table's. */
  readonly mix?: readonly number[];
  /** Default: Table I's. */
  readonly incidents?: 'default' | readonly IncidentPlan[];
  readonly guests?: Guests;
}

/** Further clients whose SIMs were made elsewhere, and what happens to them; they stand first, with the ordinals from 0. */
export interface Guests {
  readonly clients: readonly SignalingClient[];
  readonly incidents: readonly Incident[];
}

export interface SignalingPopulation {
  readonly seed: number;
  readonly from: Date;
  readonly to: Date;
  readonly days: number;
  readonly volume: number;
  /** SIMs in all; their ordinals are 0 to sims - 1. */
  readonly sims: number;
  /** In the order of their SIMs. */
  readonly clients: readonly SignalingClient[];
  /** Those of guests aside. */
  readonly incidents: readonly Incident[];
  /** Clients that must not be flagged. */
  readonly controls: readonly string[];
  /** The incidents of a SIM. */
  readonly incidentsOf: ReadonlyMap<number, readonly Incident[]>;
}

/** Throws BAD_USER_INPUT for options that make no population. */
export function signalingPopulation(options: SignalingOptions): SignalingPopulation {
  const guests = options.guests ?? { clients: [], incidents: [] };
  const first = guests.clients.reduce((sum, guest) => sum + guest.sims, 0);
  const clientCount = options.clients ?? Math.min(40, Math.max(1, options.sims));
  const mix = options.mix ?? TABLE_MIX;
  check(options, clientCount, mix);
  const total = mix.reduce((sum, weight) => sum + weight, 0);
  const own =
    options.sims === 0
      ? []
      : makeClients({
          sims: options.sims,
          clients: clientCount,
          seed: options.seed,
          mix: mix.map((weight) => weight / total),
          first,
        });
  const world = { seed: options.seed, clients: own, days: options.days, end: options.end.getTime() };
  const { incidents: asked = 'default' } = options;
  const incidents = asked === 'default' ? placeTableIncidents(world) : placeIncidents(world, asked);
  return {
    seed: options.seed,
    from: new Date(world.end - options.days * DAY_MS),
    to: options.end,
    days: options.days,
    volume: options.volume ?? USUAL_VOLUME,
    sims: first + options.sims,
    clients: [...guests.clients, ...own],
    incidents,
    controls: controlOf(own, incidents),
    incidentsOf: bySim([...guests.incidents, ...incidents]),
  };
}

/** The client that a SIM belongs to. */
export function clientOf(population: SignalingPopulation, sim: number): SignalingClient {
  let low = 0;
  let high = population.clients.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (population.clients[middle]!.first <= sim) low = middle;
    else high = middle - 1;
  }
  return population.clients[low]!;
}

export function deviceOf(population: SignalingPopulation, sim: number): Device {
  return makeDevice(population.seed, clientOf(population, sim), sim);
}

function check(options: SignalingOptions, clientCount: number, mix: readonly number[]): void {
  const refuse = (what: string) => {
    throw new SimwardenError('BAD_USER_INPUT', { what });
  };
  const { sims, days, seed, end, volume = USUAL_VOLUME } = options;
  if (!Number.isInteger(sims) || sims < 0 || sims > 10_000_000) refuse(`expected 0 to 10000000 SIMs, got ${sims}.`);
  if (!Number.isInteger(days) || days < 1 || days > 400) refuse(`expected 1 to 400 days, got ${days}.`);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0x7fffffff) refuse(`expected a seed from 0 to 2147483647, got ${seed}.`);
  if (Number.isNaN(end.getTime()) || end.getTime() % DAY_MS !== 0) refuse('expected the end at a UTC midnight.');
  if (!(volume > 0 && volume <= 10)) refuse(`expected a volume above 0 and up to 10, got ${volume}.`);
  if (!Number.isInteger(clientCount) || clientCount < 1 || clientCount > Math.max(1, Math.min(10_000, sims)))
    refuse(`expected 1 to 10000 clients and no more than SIMs, got ${clientCount} for ${sims} SIMs.`);
  const summed = mix.reduce((sum, weight) => sum + weight, 0);
  if (mix.length !== clusters.length || !mix.every((weight) => weight >= 0 && weight <= 1e9) || !(summed > 0))
    refuse(`expected five shares from 0 up, one of them above 0, got ${mix.join(',')}.`);
}

/** The control, or the first after it (or else before) that nothing happens to. */
function controlOf(clients: readonly SignalingClient[], incidents: readonly Incident[]): string[] {
  const hit = new Set(incidents.map((incident) => incident.client));
  const candidates = [...clients.slice(CONTROL), ...clients.slice(0, CONTROL)];
  return candidates
    .filter((client) => !hit.has(client) && client.sims > 0)
    .slice(0, 1)
    .map((client) => client.name);
}

function bySim(incidents: readonly Incident[]): Map<number, Incident[]> {
  const found = new Map<number, Incident[]>();
  for (const incident of incidents) {
    for (const sim of incident.sims) found.set(sim, [...(found.get(sim) ?? []), incident]);
  }
  return found;
}
