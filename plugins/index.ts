/** The detectors that come with Simwarden, in the order in which they are shown. Listed by hand: what runs is what stands here. */
import type { Detector } from 'simwarden/detector';
import aggressiveSignaling from './aggressive-signaling';
import baselineMultiple from './baseline-multiple';
import connectionFailures from './connection-failures';
import criticalService from './critical-service';
import deviceEventStorm from './device-event-storm';
import gaussianMixture from './gaussian-mixture';
import imeiMismatch from './imei-mismatch';
import isolationForest from './isolation-forest';
import threshold from './threshold';
import tukeyFences from './tukey-fences';
import unexpectedNetwork from './unexpected-network';
import unusualDestination from './unusual-destination';
import zeroUsage from './zero-usage';

export const builtInDetectors: readonly Detector[] = [
  // how much a SIM uses
  threshold, // over the limits that a client set
  baselineMultiple, // more than its model family usually uses
  zeroUsage, // nothing at all
  // where it is, and in what
  imeiMismatch, // in another device than it was bound to
  unexpectedNetwork, // in a network or country where it has no business
  unusualDestination, // talking to strangers
  // whether it works
  connectionFailures, // refused by the network, alone or with many others
  deviceEventStorm, // rebooting, failing and retrying without end
  // how it signals
  aggressiveSignaling, // hammering the network
  criticalService, // without service, with many others
];

/**
 * What the population run sets otherwise than their defaults, unless the operator does. A population is a mixture, in which small trees see too few of
 * a kind; counts of dialogues spread over orders of magnitude, and a share of two dialogues is not one of fifty.
 */
export const populationOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'isolation-forest': { subsample: 1_024, scale: 'logarithmic', shares: 'weighed' },
};

/** Those that rank the whole population, once a day, by its signaling. */
export const populationDetectors: readonly Detector[] = [
  isolationForest, // stands alone after a few random cuts
  gaussianMixture, // unlikely under the population's density
  tukeyFences, // far outside the box, feature by feature
];
