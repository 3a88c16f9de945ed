/** What each kind of incident does to a device: a cycle that repeats while it lasts. The first six are those of ANCHOR's Table I. */
import type { DeviceWalk } from './device-walk';
import { CIRCUIT, LTE, PACKET, type Domain } from './networks';
import { ERROR, REJECT, SUCCESS, TIMEOUT, WITHDRAWAL } from './packed-rows';

export interface KindOfIncident {
  /** In the vocabulary of incidents. */
  readonly rootCause: string;
  /** Mean time from one cycle to the next at intensity 1. */
  readonly periodSeconds: number;
  /** How irregular that is: 0 a firmware's timer, 1 by chance. */
  readonly jitter: number;
  /** Ordinary signaling stops meanwhile. */
  readonly suppresses: boolean;
  /** Hours of its day, UTC; others last from midnight to midnight. */
  readonly hours?: { readonly from: number; readonly count: number };
  /** One cycle; `domain` is where this device mostly is. */
  cycle(walk: DeviceWalk, domain: Domain): void;
}

const ROAMING_NOT_ALLOWED = { map: 8, diameter: 5004 };
const FACILITY_NOT_SUPPORTED = { map: 21, diameter: 5421 };
const SYSTEM_FAILURE = { map: 34, diameter: 5012 };

function code(of: { map: number; diameter: number }, domain: Domain): number {
  return domain === LTE ? of.diameter : of.map;
}

function pause(walk: DeviceWalk, meanSeconds: number): void {
  walk.wait(Math.min(28, 0.3 + walk.random.exponential(meanSeconds)));
}

export const incidentKinds = {
  /** Misconfigured roaming agreement: authenticated, then refused by the home network at one operator after the other. */
  ROAMING_AGREEMENT: {
    rootCause: 'ROAMING_AGREEMENT',
    periodSeconds: 1500,
    jitter: 0.6,
    suppresses: true,
    cycle(walk, domain) {
      for (let operator = 0; operator < 2 + walk.random.below(2); operator++) {
        walk.authenticate(domain);
        pause(walk, 0.8);
        walk.updateLocation(domain, REJECT, code(ROAMING_NOT_ALLOWED, domain));
        walk.move(domain, true);
        pause(walk, 4);
      }
    },
  },
  /** Transient error of the platform: answers that can't be used, or none. */
  PLATFORM_ERROR: {
    rootCause: 'PLATFORM_ISSUE',
    periodSeconds: 540,
    jitter: 0.8,
    suppresses: true,
    hours: { from: 9, count: 9 },
    cycle(walk, domain) {
      if (walk.random.chance(0.5)) {
        walk.authenticate(domain, walk.random.chance(0.75) ? ERROR : TIMEOUT);
        return;
      }
      walk.authenticate(domain);
      pause(walk, 0.8);
      walk.updateLocation(domain, ERROR, code(SYSTEM_FAILURE, domain));
    },
  },
  /** The home network cancels a location out of turn; the device comes back and is refused service. */
  SERVICE_REJECT: {
    rootCause: 'NETWORK_ISSUE',
    periodSeconds: 1800,
    jitter: 0.9,
    suppresses: false,
    cycle(walk, domain) {
      walk.cancelFromHome(domain, WITHDRAWAL);
      pause(walk, 3);
      walk.authenticate(domain, REJECT);
      pause(walk, 3);
      walk.authenticate(domain);
      pause(walk, 0.8);
      walk.updateLocation(domain, walk.random.chance(0.5) ? REJECT : SUCCESS);
    },
  },
  /** One kind of traffic is blocked: the data domain is refused, the rest goes on. */
  TRAFFIC_BLOCKED: {
    rootCause: 'CONFIGURATION',
    periodSeconds: 2000,
    jitter: 0.5,
    suppresses: false,
    cycle(walk, domain) {
      const data = domain === LTE ? LTE : PACKET;
      for (let attempt = 0; attempt < 1 + walk.random.below(3); attempt++) {
        walk.authenticate(data);
        pause(walk, 0.8);
        walk.updateLocation(data, REJECT, code(FACILITY_NOT_SUPPORTED, data));
        pause(walk, 5);
      }
    },
  },
  /** A device at the edge of coverage searches without end: a storm of half-finished attaches. */
  COVERAGE_STORM: {
    rootCause: 'COVERAGE',
    periodSeconds: 45,
    jitter: 1,
    suppresses: true,
    cycle(walk, domain) {
      const left = walk.move(domain, walk.random.chance(0.25));
      if (walk.random.chance(0.35)) walk.authenticate(domain, TIMEOUT);
      else walk.register(domain, walk.random.chance(0.5) ? left : null);
    },
  },
  /** Misconfigured server: registers again and again at the circuit level, correctly authenticated, and home cancels each time. */
  REGISTRATION_LOOP: {
    rootCause: 'CONFIGURATION',
    periodSeconds: 420,
    jitter: 0.4,
    suppresses: false,
    cycle(walk) {
      walk.authenticate(CIRCUIT, SUCCESS);
      pause(walk, 0.5);
      walk.updateLocation(CIRCUIT, SUCCESS);
      pause(walk, 1);
      walk.cancelFromHome(CIRCUIT, WITHDRAWAL);
    },
  },
  /** A firmware that attaches, finds its server missing and detaches, by a timer. */
  FIRMWARE_ATTACH_LOOP: {
    rootCause: 'FIRMWARE_BUG',
    periodSeconds: 900,
    jitter: 0.05,
    suppresses: true,
    cycle(walk, domain) {
      walk.register(domain, null);
      pause(walk, 6);
      walk.purge(domain);
    },
  },
  /** Steering of roaming sends a device from one operator to another and back. */
  STEERING_PING_PONG: {
    rootCause: 'NETWORK_ISSUE',
    periodSeconds: 700,
    jitter: 0.7,
    suppresses: true,
    cycle(walk, domain) {
      const left = walk.move(domain, true);
      if (walk.random.chance(0.4)) {
        walk.authenticate(domain);
        pause(walk, 0.8);
        walk.updateLocation(domain, REJECT, code(ROAMING_NOT_ALLOWED, domain));
      } else {
        walk.register(domain, left);
      }
    },
  },
  /** Keys that don't fit: vectors are fetched over and over, no update follows. */
  AUTHENTICATION_FAILURE: {
    rootCause: 'CONFIGURATION',
    periodSeconds: 1200,
    jitter: 0.6,
    suppresses: true,
    cycle(walk, domain) {
      for (let attempt = 0; attempt < 2 + walk.random.below(3); attempt++) {
        walk.authenticate(domain, walk.random.chance(0.25) ? ERROR : undefined);
        pause(walk, 2);
      }
    },
  },
  /** The way to a visited network is down: nobody answers. */
  NETWORK_OUTAGE: {
    rootCause: 'NETWORK_ISSUE',
    periodSeconds: 1000,
    jitter: 0.9,
    suppresses: true,
    hours: { from: 4, count: 16 },
    cycle(walk, domain) {
      walk.authenticate(domain, TIMEOUT);
      if (walk.random.chance(0.4)) walk.authenticate(domain, TIMEOUT);
    },
  },
  /** Nothing at all: an empty battery, a cut aerial. */
  SILENCE: { rootCause: 'UNKNOWN', periodSeconds: Infinity, jitter: 0, suppresses: true, cycle: () => undefined },
} as const satisfies Record<string, KindOfIncident>;

export type IncidentKind = keyof typeof incidentKinds;

export const incidentKindNames = Object.keys(incidentKinds) as IncidentKind[];
