/** The dialogues of a population's day, SIM by SIM or in the order of time as a feed has them. */
import type { SignalingClient } from './clients';
import { makeDevice } from './device';
import { DeviceWalk } from './device-walk';
import { hoursOfIncident, incidentHours, kindOf } from './incident-hours';
import type { Incident } from './incidents';
import { nodes } from './networks';
import { ordinaryDay } from './ordinary-day';
import { KINDS, PackedRows, unpackKind, WORDS } from './packed-rows';
import type { SignalingPopulation } from './population';
import { RandomStream } from './random-stream';
import { inTimeOrder } from './time-order';

const DAY_MS = 86_400_000;
const BLOCK_ROWS = 65_536;

const kinds = Array.from({ length: KINDS }, (_, code) => unpackKind(code));

/**
 * `time`: by the start of the dialogue, as a feed comes (equal times by SIM); needs 32 bytes a row up to `rowsInMemory`, temporary files beyond.
 * `sim`: SIM by SIM, each in time order; faster, and the memory doesn't depend on the size at all.
 */
export interface DialogueOrder {
  readonly order?: 'time' | 'sim';
  readonly rowsInMemory?: number;
}

/** Columns of some dialogues; codes as `dialogue` stores them (place in the list + 1). */
export interface DialogueBlock {
  readonly rows: number;
  readonly simOrdinal: Uint32Array;
  /** Milliseconds since 1970. */
  readonly startedAt: Float64Array;
  readonly durationMs: Int32Array;
  readonly protocol: Uint8Array;
  readonly procedure: Uint8Array;
  readonly origin: Uint8Array;
  readonly outcome: Uint8Array;
  /** 0 none. */
  readonly resultCode: Int32Array;
  /** As `plmnCode` has it; 0 unknown. */
  readonly plmn: Int32Array;
  /** Place in `nodes`; 0 unknown. */
  readonly nodeOrdinal: Uint16Array;
  /** 0 none. */
  readonly cancellationType: Uint8Array;
  readonly formatViolation: Uint8Array;
}

/** `day` counts from 0. What a call answers is only valid until the next one. */
export function* packedDialogues(population: SignalingPopulation, day: number, options: DialogueOrder = {}): Generator<DialogueBlock> {
  const dayStart = dayStartOf(population, day);
  for (const rows of packedRows(population, day, options)) {
    for (let first = 0; first < rows.rows; first += BLOCK_ROWS)
      yield unpack(rows, first, Math.min(BLOCK_ROWS, rows.rows - first), dayStart);
  }
}

export function dayStartOf(population: SignalingPopulation, day: number): number {
  return population.from.getTime() + day * DAY_MS;
}

export function packedRows(
  population: SignalingPopulation,
  day: number,
  { order = 'time', rowsInMemory }: DialogueOrder,
): Iterable<PackedRows> {
  const bySim = rowsBySim(population, day);
  return order === 'sim' ? bySim : inTimeOrder(bySim, rowsInMemory);
}

/** Some SIMs at a time; the rows are emptied for the next ones. */
function* rowsBySim(population: SignalingPopulation, day: number): Generator<PackedRows> {
  const rows = new PackedRows(BLOCK_ROWS * 2);
  const walk = new DeviceWalk(rows, new RandomStream());
  const dayStart = dayStartOf(population, day);
  for (const client of population.clients) {
    for (let sim = client.first; sim < client.first + client.sims; sim++) {
      simDay(population, client, walk, sim, dayStart);
      if (rows.rows < BLOCK_ROWS) continue;
      yield rows;
      rows.rows = 0;
    }
  }
  if (rows.rows > 0) yield rows;
}

function simDay(population: SignalingPopulation, client: SignalingClient, walk: DeviceWalk, sim: number, dayStart: number): void {
  const { seed, volume } = population;
  const dayNumber = dayStart / DAY_MS;
  const device = makeDevice(seed, client, sim);
  walk.random.begin(seed, sim, dayNumber, 2);
  const incident = today(population.incidentsOf.get(sim), dayStart);
  // a device that an incident holds keeps trying
  if (!walk.random.chance(incident ? 0.96 : device.profile.activeShare)) return;
  const firstRow = walk.rows.rows;
  // whoever an incident hits is where it happens
  const country = incident || !walk.random.chance(device.profile.travels) ? device.country : elsewhere(client, walk.random);
  walk.begin(sim, country, device.operator, device.site, device.profile.reach, device.trouble);
  // 1970-01-01 was a Thursday
  const isWeekend = (dayNumber + 4) % 7 === 6 || (dayNumber + 4) % 7 === 0;
  const silence = incident && kindOf(incident.incident).suppresses ? incident.hours : undefined;
  ordinaryDay(walk, device, volume, isWeekend, silence);
  if (!incident) return;
  walk.at = incident.hours.from;
  incidentHours(walk, device, incident.incident, incident.hours, seed);
  walk.rows.sortByTimeFrom(firstRow);
}

function elsewhere(client: SignalingClient, random: RandomStream): number {
  return client.countries[random.below(client.countries.length)]!;
}

function today(
  incidents: readonly Incident[] | undefined,
  dayStart: number,
): { incident: Incident; hours: { from: number; to: number } } | null {
  for (const incident of incidents ?? []) {
    const hours = hoursOfIncident(incident, dayStart);
    if (hours) return { incident, hours };
  }
  return null;
}

function unpack({ words }: PackedRows, first: number, count: number, dayStart: number): DialogueBlock {
  const block = emptyBlock(count);
  for (let row = 0, at = first * WORDS; row < count; row++, at += WORDS) {
    const answer = words[at + 2]!;
    const place = words[at + 3]!;
    const kind = kinds[place & (KINDS - 1)]!;
    const node = place >>> 16;
    block.simOrdinal[row] = words[at]!;
    block.startedAt[row] = dayStart + words[at + 1]!;
    block.durationMs[row] = answer >>> 16;
    block.resultCode[row] = answer & 0xffff;
    block.protocol[row] = kind.protocol + 1;
    block.procedure[row] = kind.procedure + 1;
    block.origin[row] = kind.origin + 1;
    block.outcome[row] = kind.outcome + 1;
    block.plmn[row] = nodes[node]!.plmnCode;
    block.nodeOrdinal[row] = node;
    block.cancellationType[row] = kind.cancellation;
    block.formatViolation[row] = kind.formatViolation;
  }
  return block;
}

function emptyBlock(rows: number): DialogueBlock {
  return {
    rows,
    simOrdinal: new Uint32Array(rows),
    startedAt: new Float64Array(rows),
    durationMs: new Int32Array(rows),
    protocol: new Uint8Array(rows),
    procedure: new Uint8Array(rows),
    origin: new Uint8Array(rows),
    outcome: new Uint8Array(rows),
    resultCode: new Int32Array(rows),
    plmn: new Int32Array(rows),
    nodeOrdinal: new Uint16Array(rows),
    cancellationType: new Uint8Array(rows),
    formatViolation: new Uint8Array(rows),
  };
}
