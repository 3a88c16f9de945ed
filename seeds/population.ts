/** The simulated customers, their SIMs, and what goes wrong with some of them: the ground truth. */
import { dice, normal, withLuhnDigit } from './dice';
import { families, type Family } from './families';

const DAY = 86_400_000;
const HOUR = 3_600_000;

export type StoryKind = 'STOLEN_SIM' | 'FIRMWARE_LOOP' | 'MALWARE' | 'DEAD_METER' | 'ROAMING_FAILURE';

export interface Story {
  readonly id: string;
  readonly kind: StoryKind;
  readonly rootCause: string;
  readonly client: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly iccids: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

export interface SimulatedSim {
  /** Place in the population; part of every random draw. */
  readonly index: number;
  readonly iccid: string;
  readonly imsi: string;
  readonly msisdn: string;
  readonly imei: string;
  readonly client: string;
  readonly fleet: string;
  readonly family: Family;
  readonly criticality: 'NORMAL' | 'CRITICAL';
  readonly plmn: string;
  /** What this device uses against its family's median. */
  readonly appetite: number;
  readonly story: Story | null;
}

export interface Population {
  readonly seed: number;
  readonly from: Date;
  readonly to: Date;
  readonly sims: readonly SimulatedSim[];
  readonly stories: readonly Story[];
  /** Clients that behave: an alert on them is a false alarm. */
  readonly controls: readonly string[];
}

interface ClientPlan {
  readonly client: string;
  readonly fleet: string;
  readonly family: Family;
  readonly plmn: string;
  readonly country: string;
  readonly story?: {
    readonly kind: StoryKind;
    readonly rootCause: string;
    readonly sims: (fleetSize: number) => number;
    readonly hoursBeforeEnd: number;
    readonly hours: number;
  };
}

const plans: readonly ClientPlan[] = [
  {
    client: 'River Research',
    fleet: 'Mississippi',
    family: families.riverSensor,
    plmn: '310-410',
    country: 'US',
    story: { kind: 'STOLEN_SIM', rootCause: 'STOLEN_SIM', sims: () => 1, hoursBeforeEnd: 30, hours: 30 },
  },
  {
    client: 'Volta Charging',
    fleet: 'City chargers',
    family: families.charger,
    plmn: '208-01',
    country: 'FR',
    story: {
      kind: 'FIRMWARE_LOOP',
      rootCause: 'FIRMWARE_BUG',
      sims: (size) => Math.max(2, Math.round(size * 0.06)),
      hoursBeforeEnd: 42,
      hours: 42,
    },
  },
  {
    client: 'Gatekeeper Cameras',
    fleet: 'Site cameras',
    family: families.camera,
    plmn: '262-01',
    country: 'DE',
    story: { kind: 'MALWARE', rootCause: 'MALWARE', sims: (size) => Math.max(1, Math.round(size * 0.05)), hoursBeforeEnd: 36, hours: 36 },
  },
  {
    client: 'Andes Metering',
    fleet: 'Quito meters',
    family: families.meter,
    plmn: '740-00',
    country: 'EC',
    story: { kind: 'DEAD_METER', rootCause: 'UNKNOWN', sims: () => 1, hoursBeforeEnd: 96, hours: 96 },
  },
  {
    client: 'Iberia Tracking',
    fleet: 'Trailers',
    family: families.tracker,
    plmn: '214-07',
    country: 'ES',
    story: {
      kind: 'ROAMING_FAILURE',
      rootCause: 'ROAMING_AGREEMENT',
      sims: (size) => Math.round(size * 0.7),
      hoursBeforeEnd: 28,
      hours: 28,
    },
  },
  { client: 'Quiet Elevators', fleet: 'Elevators', family: families.elevator, plmn: '222-01', country: 'IT' },
];

export interface PopulationOptions {
  /** SIMs in all, spread evenly over the six clients; at least 60. */
  readonly sims: number;
  /** Days of telemetry; at least 9: a baseline needs 7 closed days before the stories. */
  readonly days: number;
  readonly seed: number;
  /** End of the telemetry, a UTC midnight. */
  readonly end: Date;
  /** Whether something goes wrong; default true. */
  readonly stories?: boolean;
}

/** Where each customer's fleet is: ISO 3166-1 alpha-2 by client. */
export const countryOfClient: ReadonlyMap<string, string> = new Map(plans.map((plan) => [plan.client, plan.country]));

export function makePopulation(options: PopulationOptions): Population {
  const perClient = Math.floor(options.sims / plans.length);
  const storyOf = (plan: ClientPlan) => (options.stories === false ? undefined : plan.story);
  const sims: SimulatedSim[] = [];
  const stories: Story[] = [];
  plans.forEach((plan, planIndex) => {
    const members = Array.from({ length: perClient }, (_, place) => makeSim(options.seed, planIndex * perClient + place, plan));
    const planned = storyOf(plan);
    const story =
      planned &&
      makeStory(
        plan,
        planned,
        members.map((sim) => sim.iccid),
        options.end,
      );
    if (story) stories.push(story);
    sims.push(...members.map((sim) => ({ ...sim, story: story?.iccids.includes(sim.iccid) ? story : null })));
  });
  return {
    seed: options.seed,
    from: new Date(options.end.getTime() - options.days * DAY),
    to: options.end,
    sims,
    stories,
    controls: plans.filter((plan) => !storyOf(plan)).map((plan) => plan.client),
  };
}

function makeStory(plan: ClientPlan, story: NonNullable<ClientPlan['story']>, iccids: string[], end: Date): Story {
  const from = end.getTime() - story.hoursBeforeEnd * HOUR;
  return {
    id: story.kind.toLowerCase().replaceAll('_', '-'),
    kind: story.kind,
    rootCause: story.rootCause,
    client: plan.client,
    country: plan.country,
    // the third SIM onward, so that a story doesn't depend on being first in a list
    iccids: iccids.slice(2, 2 + story.sims(iccids.length)),
    from: new Date(from),
    to: new Date(from + story.hours * HOUR),
  };
}

function makeSim(seed: number, index: number, plan: ClientPlan): SimulatedSim {
  const serial = String(index).padStart(6, '0');
  return {
    index,
    iccid: withLuhnDigit(`89883070${String(seed % 10_000).padStart(4, '0')}${serial}`),
    imsi: `90140${String(seed % 10_000).padStart(4, '0')}${serial}`,
    msisdn: `8823${String(seed % 10_000).padStart(4, '0')}${serial}`,
    imei: withLuhnDigit(plan.family.tac + serial),
    client: plan.client,
    fleet: plan.fleet,
    family: plan.family,
    plmn: plan.plmn,
    criticality: plan.family === families.elevator ? 'CRITICAL' : 'NORMAL',
    appetite: Math.exp(plan.family.spread * normal(dice(seed, index, 1))),
    story: null,
  };
}
