/** Populations that differ from the default: so that nobody can tune a detector to one. */
import { CONTROL } from './clients';
import { TABLE_MIX } from './clusters';
import { incidentKindNames } from './incident-kinds';
import { devicesIn, type IncidentPlan } from './incidents';
import { countries } from './networks';
import { signalingPopulation, type SignalingOptions } from './population';
import { RandomStream } from './random-stream';

const INCIDENTS = 5;
/** Fewer devices of a client in a country make no case for a decision. */
const LEAST_FLEET = 25;

/** Another mix, volume, number of clients and other incidents, drawn from the seed; `sims`, `days` and `end` are the caller's. */
export function variedOptions(seed: number, base: Pick<SignalingOptions, 'sims' | 'days' | 'end'>): SignalingOptions {
  const random = new RandomStream().begin(seed, 0, 0, 40);
  const quiet: SignalingOptions = {
    ...base,
    seed,
    mix: TABLE_MIX.map((share) => share * Math.exp(0.8 * random.normal())),
    volume: 0.2 * 5 ** random.uniform(),
    clients: Math.min(base.sims, 10 + random.below(40)),
    incidents: [],
  };
  return { ...quiet, incidents: drawIncidents(quiet, random) };
}

/** Of different clients, the control spared. */
function drawIncidents(options: SignalingOptions, random: RandomStream): IncidentPlan[] {
  const { clients, days, to } = signalingPopulation(options);
  const world = { seed: options.seed, clients, days, end: to.getTime() };
  const fleets = clients.flatMap((client, place) =>
    place === CONTROL ? [] : client.countries.map((country) => ({ place, country, devices: devicesIn(world, client, country).length })),
  );
  const candidates = fleets
    .filter(({ devices }) => devices >= LEAST_FLEET)
    .map((fleet) => ({ ...fleet, lot: random.uniform() }))
    .sort((a, b) => a.lot - b.lot);
  const kinds = incidentKindNames.filter((kind) => kind !== 'SILENCE');
  const plans = new Map<number, IncidentPlan>();
  for (const { place, country, devices } of candidates) {
    if (plans.size === INCIDENTS) break;
    if (plans.has(place)) continue;
    plans.set(place, {
      kind: kinds[random.below(kinds.length)]!,
      client: place + 1,
      country: countries[country]!.code,
      sims: Math.max(10, Math.round(devices * (0.25 + 0.5 * random.uniform()))),
      daysBeforeEnd: random.below(Math.max(1, Math.floor(days / 3))),
      days: 1 + random.below(2),
      intensity: Math.exp(0.4 * random.normal()),
    });
  }
  return [...plans.values()];
}
