/** Who owns the simulated SIMs: the five customers of ANCHOR's Table I, a control that behaves, and others as the background. */
import { countries, countryPlace } from './networks';
import { RandomStream } from './random-stream';

export interface SignalingClient {
  readonly name: string;
  readonly fleet: string;
  /** Ordinals [first, first + sims) are its SIMs. */
  readonly first: number;
  readonly sims: number;
  /** Places in `countries`, and how much of the fleet is there. */
  readonly countries: readonly number[];
  readonly countryWeights: readonly number[];
  /** Weights of the five clusters. */
  readonly mix: readonly number[];
  /** How this customer's devices signal against others of their clusters. */
  readonly volume: number;
  readonly gaps: number;
  /** First 5 digits of its IMSIs, and what is added to a SIM's place for the other 10. */
  readonly imsiPrefix: string;
  readonly imsiBase: number;
  /** First digits of its ICCIDs; the IMSI's last 10 digits and a check digit fill them up to 19. */
  readonly iccidPrefix: string;
}

interface NamedClient {
  readonly name: string;
  readonly fleet: string;
  /** Of all SIMs, up to a number that such a customer has in reality. */
  readonly share: number;
  readonly atMost: number;
  readonly countries: Readonly<Record<string, number>>;
  /** What its trade prefers, against the population's mix. */
  readonly taste: readonly number[];
}

/** In Table I's order; the sixth is the control. */
const named: readonly NamedClient[] = [
  {
    name: 'Casa Clara',
    fleet: 'Smart buildings',
    share: 0.02,
    atMost: 1500,
    countries: { ES: 7, PT: 2, IT: 1 },
    taste: [0.5, 5, 0.2, 0.02, 1],
  },
  { name: 'Pampa Fleets', fleet: 'Trucks', share: 0.025, atMost: 2000, countries: { AR: 6, CL: 2, BR: 2 }, taste: [0.1, 2, 0.7, 1, 2] },
  {
    name: 'Monsoon Buildings',
    fleet: 'Smart buildings',
    share: 0.05,
    atMost: 12_000,
    countries: { IN: 5, DE: 4, GB: 1 },
    taste: [0.3, 5, 0.2, 0.02, 2],
  },
  {
    name: 'Volcano Metering',
    fleet: 'Meters',
    share: 0.015,
    atMost: 800,
    countries: { SV: 7, CO: 2, EC: 1 },
    taste: [1.5, 2, 0.3, 0.02, 0.5],
  },
  { name: 'Interstate Fleets', fleet: 'Trucks', share: 0.06, atMost: 20_000, countries: { US: 7, MX: 3 }, taste: [0.2, 3, 0.5, 0.8, 2] },
  {
    name: 'Steady Parcels',
    fleet: 'Vans',
    share: 0.04,
    atMost: 6000,
    countries: { ES: 3, DE: 3, FR: 2, PL: 2 },
    taste: [0.5, 2, 0.7, 0.5, 1.5],
  },
];
/** In a small population a named client still has this many SIMs, or this share. */
const SMALL_FLEET = { sims: 80, share: 0.05 };

/** Place of the client that behaves, where no incident was asked for it. */
export const CONTROL = 5;

export interface ClientOptions {
  readonly sims: number;
  readonly clients: number;
  readonly seed: number;
  readonly mix: readonly number[];
  /** Ordinal of their first SIM. */
  readonly first: number;
}

export function makeClients(options: ClientOptions): SignalingClient[] {
  const sizes = sizesOf(options);
  const mixes = mixesOf(options, sizes);
  let first = options.first;
  return sizes.map((sims, place) => {
    const random = new RandomStream().begin(options.seed, place, 0, 20);
    const one = named[place];
    const client: SignalingClient = {
      name: one?.name ?? `Background ${String(place + 1).padStart(3, '0')}`,
      fleet: one?.fleet ?? 'Devices',
      first,
      sims,
      ...(one ? placesOf(one.countries) : somewhere(random)),
      mix: mixes[place]!,
      volume: random.logNormal(0.1),
      gaps: Math.exp(0.15 * random.normal()),
      imsiPrefix: '90143',
      imsiBase: (options.seed % 1000) * 10_000_000 - options.first,
      iccidPrefix: '8988308',
    };
    first += sims;
    return client;
  });
}

/** Named clients take their share, the rest is background by Zipf's law; every client has SIMs. */
function sizesOf({ sims, clients }: ClientOptions): number[] {
  const sizes = Array.from({ length: clients }, (_, place) => {
    const one = named[place];
    if (!one) return 1;
    const least = Math.min(SMALL_FLEET.sims, sims * SMALL_FLEET.share);
    return Math.max(1, Math.min(one.atMost, Math.floor(Math.max(least, sims * one.share))));
  });
  let left = sims - sizes.reduce((sum, size) => sum + size, 0);
  const zipf = sizes.map((_, place) => (place < named.length ? 0 : 1 / (place - named.length + 3)));
  // a population of named clients alone shares the rest among them
  const weights = zipf.some((weight) => weight > 0) ? zipf : sizes;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const extra = weights.map((weight) => Math.floor((left * weight) / total));
  left -= extra.reduce((sum, size) => sum + size, 0);
  return sizes.map((size, place) => size + extra[place]! + (place === sizes.length - 1 ? left : 0));
}

/** Every client has a mix of its own; those of the background are fitted until the whole has the one that was asked for. */
function mixesOf({ mix, seed }: ClientOptions, sizes: readonly number[]): number[][] {
  const mixes = sizes.map((_, place) => {
    const random = new RandomStream().begin(seed, place, 0, 21);
    const taste = named[place]?.taste;
    return normalised(mix.map((share, cluster) => share * (taste ? taste[cluster]! : Math.exp(0.7 * random.normal()))));
  });
  const total = sizes.reduce((sum, size) => sum + size, 0);
  for (let round = 0; round < 10; round++) {
    const missing = mix.map((share, cluster) => {
      const devices = (place: number) => sizes[place]! * mixes[place]![cluster]!;
      const all = sizes.map((_, place) => devices(place));
      const fixed = all.slice(0, named.length).reduce((sum, count) => sum + count, 0);
      const free = all.slice(named.length).reduce((sum, count) => sum + count, 0);
      // a cluster that the named clients used up still exists elsewhere
      return free === 0 ? 1 : Math.max(0.05 * share * total, share * total - fixed) / free;
    });
    for (let place = named.length; place < mixes.length; place++) {
      mixes[place] = normalised(mixes[place]!.map((share, cluster) => share * missing[cluster]!));
    }
  }
  return mixes;
}

function normalised(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function placesOf(weights: Readonly<Record<string, number>>): { countries: number[]; countryWeights: number[] } {
  return { countries: Object.keys(weights).map(countryPlace), countryWeights: Object.values(weights) };
}

function somewhere(random: RandomStream): { countries: number[]; countryWeights: number[] } {
  const count = 1 + random.below(4);
  const places = new Set(Array.from({ length: count }, () => random.below(countries.length)));
  return { countries: [...places], countryWeights: [...places].map((_, rank) => 1 / (rank + 1)) };
}
