/** What a device that behaves does in a day: sessions at the hours of its place, in each a few procedures as a real attach has them. */
import type { Cluster, DomainRates } from './clusters';
import type { Device } from './device';
import type { DeviceWalk } from './device-walk';
import { countries, type Domain } from './networks';
import { AFTER_UPDATE, WITHDRAWAL } from './packed-rows';
import type { RandomStream } from './random-stream';

const DAY_MS = 86_400_000;
/** Share of dialogues that succeed, in the mean: an update is only sent after a successful authentication. */
const SUCCESS_SHARE = 0.967;
/** Share of the moves after which the hub sees the old element cancelled, as near as the cluster's counts allow. */
const CANCELLED_MOVES = 0.82;
/** Pauses inside a session stay below the 30 s that end one, the answer's time included. */
const LONGEST_GAP_SECONDS = 26;

/** Kinds of procedures by domain: an update with what belongs to it, an authentication alone, a purge or notification. */
interface Agenda {
  /** Mean count a day of each domain's three kinds, one after another. */
  readonly counts: readonly number[];
  readonly dialogues: number;
}

const agendas = new WeakMap<Cluster, { map: Agenda; lte: Agenda }>();

/** `from` and `to` (milliseconds of the day) may cut out a part; everything else is left to the caller. */
export function ordinaryDay(
  walk: DeviceWalk,
  device: Device,
  volume: number,
  isWeekend: boolean,
  silence?: { from: number; to: number },
): void {
  const { random } = walk;
  const { profile } = device;
  const { map, lte } = agendaOf(profile);
  const today = volume * random.logNormal(profile.daySpread) * weekday(profile, isWeekend);
  const mapScale = today * device.mapVolume;
  const lteScale = today * device.lteVolume;
  const weights = [...map.counts.map((count) => count * mapScale), ...lte.counts.map((count) => count * lteScale)];
  const procedures = weights.reduce((sum, weight) => sum + weight, 0);
  const sessionsMean = Math.max(1, (map.dialogues * mapScale + lte.dialogues * lteScale) / profile.dialoguesPerSession);
  const sessions = sessionCount(random, sessionsMean);
  const hours = hoursOf(profile.dayRhythm, countries[device.country]!.utcOffsetHours);
  for (let session = 0; session < sessions; session++) {
    // after the last one, as time goes on: a session can't start before the one before it has ended
    const start = startOf(hours, (session + random.uniform()) / sessions);
    walk.at = session === 0 ? start : Math.max(start, walk.at + 31_000);
    const count = 1 + random.poisson(Math.max(0, procedures / sessionsMean - 1));
    const silent = silence !== undefined && walk.at >= silence.from && walk.at < silence.to;
    if (!silent && walk.at < DAY_MS) runSession(walk, device, weights, procedures, count);
  }
}

function runSession(walk: DeviceWalk, device: Device, weights: readonly number[], total: number, count: number): void {
  const { random } = walk;
  const gap = device.profile.gapSeconds * device.gaps;
  for (let step = 0; step < count; step++) {
    if (step > 0) walk.wait(Math.min(LONGEST_GAP_SECONDS, 0.4 + random.exponential(gap)));
    const kind = draw(random, weights, total);
    const domain = Math.floor(kind / 3) as Domain;
    if (kind % 3 === 0) update(walk, device, domain);
    else if (kind % 3 === 1) walk.authenticate(domain);
    else keepInStep(walk, domain);
  }
}

/** What home and visited network tell each other beside registrations; now and then an administrator's cancellation. */
function keepInStep(walk: DeviceWalk, domain: Domain): void {
  const draw = walk.random.uniform();
  if (draw < 0.56) walk.notify(domain);
  else if (draw < 0.96) walk.purge(domain);
  else walk.cancelFromHome(domain, walk.random.chance(0.2) ? WITHDRAWAL : AFTER_UPDATE);
}

/** To another element, whose predecessor mostly gets a cancel location, or once more at the same one. */
function update(walk: DeviceWalk, device: Device, domain: Domain): void {
  const { updates, cancels, operatorMoves } = device.profile.domains[domain];
  const { random } = walk;
  // a cancel location is only sent after the update succeeded
  const cancelShare = cancels / (updates * SUCCESS_SHARE);
  const moveShare = Math.min(1, cancelShare / CANCELLED_MOVES);
  if (!random.chance(moveShare)) {
    walk.register(domain, null);
    return;
  }
  const left = walk.move(domain, random.chance(operatorMoves));
  walk.register(domain, random.chance(cancelShare / moveShare) ? left : null);
}

function agendaOf(profile: Cluster): { map: Agenda; lte: Agenda } {
  let known = agendas.get(profile);
  if (!known) {
    known = { map: agenda(profile.domains.slice(0, 2)), lte: agenda(profile.domains.slice(2)) };
    agendas.set(profile, known);
  }
  return known;
}

function agenda(domains: readonly DomainRates[]): Agenda {
  const counts = domains.flatMap((rates) => {
    const attempts = rates.updates / SUCCESS_SHARE;
    return [attempts, Math.max(0, rates.authentications - attempts), rates.others];
  });
  const dialogues = domains.reduce((sum, rates) => sum + rates.updates + rates.authentications + rates.cancels + rates.others, 0);
  return { counts, dialogues };
}

/** Around a working day's dialogues such that the week has the cluster's mean. */
function weekday({ weekend }: Cluster, isWeekend: boolean): number {
  const workday = 7 / (5 + 2 * weekend);
  return isWeekend ? workday * weekend : workday;
}

/** At least one, and `mean` of them in the mean. */
function sessionCount(random: RandomStream, mean: number): number {
  // max(1, Poisson(m)) has mean m + exp(-m): two Newton steps back from there
  let poissonMean = mean - Math.exp(-mean);
  for (let step = 0; step < 2; step++) {
    poissonMean -= (poissonMean + Math.exp(-poissonMean) - mean) / Math.max(0.1, 1 - Math.exp(-poissonMean));
    poissonMean = Math.max(0, poissonMean);
  }
  return Math.max(1, random.poisson(poissonMean));
}

function draw(random: RandomStream, weights: readonly number[], total: number): number {
  let rest = random.uniform() * total;
  for (let place = 0; place < weights.length; place++) {
    rest -= weights[place]!;
    if (rest < 0) return place;
  }
  return weights.findLastIndex((weight) => weight > 0);
}

const HOUR_PARTS = 96;
const hourTables = new Map<string, Float64Array>();

/** Quantiles of a day's activity in UTC milliseconds, by quarters of hours: a raised cosine with its peak at 14:00 local time. */
function hoursOf(rhythm: number, utcOffsetHours: number): Float64Array {
  const key = `${rhythm}/${utcOffsetHours}`;
  let table = hourTables.get(key);
  if (!table) {
    const density = Array.from({ length: HOUR_PARTS }, (_, part) => {
      const localHour = (part + 0.5) / 4 + utcOffsetHours;
      return 1 + rhythm * Math.cos(((localHour - 14) / 12) * Math.PI);
    });
    table = quantiles(density);
    hourTables.set(key, table);
  }
  return table;
}

function quantiles(density: readonly number[]): Float64Array {
  const total = density.reduce((sum, value) => sum + value, 0);
  const table = new Float64Array(257);
  let part = 0;
  let below = 0;
  for (let quantile = 0; quantile <= 256; quantile++) {
    const target = (quantile / 256) * total;
    while (part < density.length - 1 && below + density[part]! < target) below += density[part++]!;
    table[quantile] = ((part + Math.min(1, (target - below) / density[part]!)) / density.length) * DAY_MS;
  }
  return table;
}

function startOf(table: Float64Array, share: number): number {
  const place = Math.floor(share * 256);
  const low = table[place]!;
  return low + (table[place + 1]! - low) * (share * 256 - place);
}
