/** The hours of a device's day in which an incident holds it: its cycle, over and over. */
import type { Device } from './device';
import type { DeviceWalk } from './device-walk';
import { incidentKinds, type KindOfIncident } from './incident-kinds';
import type { Incident } from './incidents';
import { CIRCUIT, LTE, type Domain } from './networks';
import { RandomStream } from './random-stream';

const DAY_MS = 86_400_000;
/** Two devices under one fault show it unequally. */
const SPREAD = 0.6;

/** The part of this day that the incident takes, in milliseconds since midnight; null on other days. */
export function hoursOfIncident(incident: Incident, dayStart: number): { from: number; to: number } | null {
  const from = Math.max(0, incident.from - dayStart);
  const to = Math.min(DAY_MS, incident.to - dayStart);
  return from < to ? { from, to } : null;
}

export function kindOf(incident: Incident): KindOfIncident {
  return incidentKinds[incident.kind];
}

const stream = new RandomStream();

export function incidentHours(
  walk: DeviceWalk,
  device: Device,
  incident: Incident,
  hours: { from: number; to: number },
  seed: number,
): void {
  const kind = kindOf(incident);
  // what stays with the device as long as the incident lasts
  const own = stream.begin(seed, device.sim, incident.from / 3_600_000, 31);
  const period = (kind.periodSeconds * Math.exp(SPREAD * own.normal())) / incident.intensity;
  const domain = homeDomain(device, own);
  if (period === Infinity) return;
  for (let next = hours.from + walk.random.uniform() * period * 1000; next < hours.to;) {
    walk.at = Math.max(walk.at, next);
    if (walk.at >= hours.to) return;
    kind.cycle(walk, domain);
    next += period * 1000 * (1 - kind.jitter + (kind.jitter === 0 ? 0 : walk.random.exponential(kind.jitter)));
  }
}

/** The domain in which a device has most of its procedures. */
function homeDomain(device: Device, random: RandomStream): Domain {
  const dialogues = device.profile.domains.map((rates) => rates.authentications + rates.updates);
  const lte = dialogues[LTE]! * device.lteVolume;
  const map = (dialogues[0]! + dialogues[1]!) * device.mapVolume;
  return random.chance(lte / (lte + map)) ? LTE : CIRCUIT;
}
