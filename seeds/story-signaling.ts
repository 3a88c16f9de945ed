/** The guide's story fleets at the roaming hub: their SIMs signal like any others, and their stories show there where a real one would. */
import type { Population, SimulatedSim, Story, StoryKind } from './population';
import { countryPlace, type Guests, type Incident, type IncidentKind, type SignalingClient } from './signaling';

/** Which incident a story is to the hub; malware and stolen SIMs signal as before. */
const incidentOf: Partial<Record<StoryKind, IncidentKind>> = {
  ROAMING_FAILURE: 'ROAMING_AGREEMENT',
  FIRMWARE_LOOP: 'FIRMWARE_ATTACH_LOOP',
  DEAD_METER: 'SILENCE',
};

/** Kinds of records in which a story shows. */
export const seenIn: Readonly<Record<StoryKind, readonly string[]>> = {
  STOLEN_SIM: ['USAGE', 'CONNECTION_EVENTS'],
  FIRMWARE_LOOP: ['USAGE', 'DEVICE_EVENTS', 'DIALOGUES'],
  MALWARE: ['USAGE'],
  DEAD_METER: ['USAGE'],
  ROAMING_FAILURE: ['CONNECTION_EVENTS', 'DIALOGUES'],
};

export function storyFleets(population: Population, countryOf: ReadonlyMap<string, string>): Guests {
  const fleets = new Map<string, SimulatedSim[]>();
  for (const sim of population.sims) fleets.set(sim.client, [...(fleets.get(sim.client) ?? []), sim]);
  const clients = [...fleets].map(([name, sims]) => clientOf(population, name, sims, countryOf.get(name)!));
  const incidents = population.stories.flatMap((story) => {
    const kind = incidentOf[story.kind];
    return kind ? [incident(population, clients, story, kind)] : [];
  });
  return { clients, incidents };
}

function clientOf(population: Population, name: string, sims: readonly SimulatedSim[], country: string): SignalingClient {
  const [sim] = sims as [SimulatedSim];
  return {
    name,
    fleet: sim.fleet,
    first: sim.index,
    sims: sims.length,
    countries: [countryPlace(country)],
    countryWeights: [1],
    mix: sim.family.rat === 'UTRAN' ? [1, 0, 0, 0, 0] : [0, 1, 0, 0, 0],
    volume: 1,
    gaps: 1,
    imsiPrefix: sim.imsi.slice(0, 5),
    imsiBase: (population.seed % 10_000) * 1_000_000,
    iccidPrefix: sim.iccid.slice(0, 8),
  };
}

function incident(population: Population, clients: readonly SignalingClient[], story: Story, kind: IncidentKind): Incident {
  const hit = new Set(story.iccids);
  return {
    id: story.id,
    kind,
    client: clients.find((client) => client.name === story.client)!,
    country: countryPlace(story.country),
    sims: population.sims.filter((sim) => hit.has(sim.iccid)).map((sim) => sim.index),
    from: story.from.getTime(),
    to: story.to.getTime(),
    intensity: 1,
  };
}
