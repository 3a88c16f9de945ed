/** One simulated device: what stays the same of it from day to day, drawn from the seed and its ordinal alone. */
import type { SignalingClient } from './clients';
import { clusters, type Cluster } from './clusters';
import type { Trouble } from './device-walk';
import { operatorCount } from './networks';
import { RandomStream } from './random-stream';

export interface Device {
  readonly sim: number;
  /** Place in `clusters`. */
  readonly cluster: number;
  readonly profile: Cluster;
  /** Place in `countries`. */
  readonly country: number;
  readonly operator: number;
  /** Where it sleeps: an element of its operator, counted from 0. */
  readonly site: number;
  /** Dialogues of its 2G/3G and 4G parts against the cluster's mean. */
  readonly mapVolume: number;
  readonly lteVolume: number;
  /** Its pauses against the cluster's mean. */
  readonly gaps: number;
  readonly trouble: Trouble;
}

/** Shares of dialogues that a healthy network refuses, spoils or never answers. */
const REJECT_SHARE = 0.018;
const ERROR_SHARE = 0.008;
const TIMEOUT_SHARE = 0.006;

const stream = new RandomStream();

export function makeDevice(seed: number, client: SignalingClient, sim: number): Device {
  const random = stream.begin(seed, sim, 0, 1);
  const cluster = random.weighted(client.mix);
  const profile = clusters[cluster]!;
  const country = client.countries[random.weighted(client.countryWeights)]!;
  const volume = client.volume * random.logNormal(profile.spread);
  // a few devices are always in trouble, for reasons of their own
  const proneness = random.logNormal(0.9);
  const unlucky = random.chance(0.01) ? 8 : 1;
  return {
    sim,
    cluster,
    profile,
    country,
    operator: random.chance(0.7) ? 0 : random.below(operatorCount(country)),
    site: random.below(24),
    mapVolume: volume * random.logNormal(profile.lteSpread / 3),
    lteVolume: volume * random.logNormal(profile.lteSpread),
    gaps: client.gaps * Math.exp(0.2 * random.normal()),
    trouble: {
      reject: Math.min(0.4, REJECT_SHARE * proneness * unlucky),
      error: Math.min(0.1, ERROR_SHARE * proneness),
      timeout: Math.min(0.1, TIMEOUT_SHARE * proneness),
    },
  };
}
