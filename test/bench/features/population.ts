/** A day of dialogues for the bench, seeded: the five kinds of devices of ANCHOR's Table III at a third of its volume, in order of arrival, no repeats. */
import { seededRandom } from '../../../src/detector/numeric';
import { PackedDialogues, type Dialogue } from '../../../src/detection/features/packed-dialogues';

/** Share of devices, mean dialogues a day, share of Diameter, share of SIMs' dialogues at a new node. */
const KINDS = [
  [0.43, 8.7, 0, 0.05],
  [0.11, 22.4, 1, 0.05],
  [0.23, 98.4, 0.0001, 0.3],
  [0.08, 1300, 0.37, 0.25],
  [0.15, 72, 0.8, 0.05],
] as const;
const VOLUME = 0.31;
const DAY_MILLISECONDS = 86_400_000;
/** 214-07, 262-01, 208-01, 234-15, 310-410: (MCC × 1000 + MNC) × 2, one more for three digits. */
const NETWORKS = [428_014, 524_002, 416_002, 468_030, 620_821];
const NODES_PER_NETWORK = 40;

/** A dialogue and whose it is. */
export type Row = Dialogue & { readonly simId: number };

export function population(sims: number, seed: number): Row[] {
  const random = seededRandom(seed);
  const rows: Row[] = [];
  for (let sim = 0; sim < sims; sim++) addDevice(rows, 1_000_000 + sim * 7, random);
  return rows.sort((a, b) => a.millisecond - b.millisecond);
}

function addDevice(rows: Row[], simId: number, random: () => number): void {
  let draw = random();
  const [, mean, diameter, moving] = KINDS.find(([share]) => (draw -= share) < 0) ?? KINDS[4];
  const level = Math.exp(0.8 * normal(random) - 0.32);
  const wanted = Math.max(1, Math.round(mean * VOLUME * level));
  let network = Math.floor(random() * NETWORKS.length);
  let node = Math.floor(random() * NODES_PER_NETWORK);
  const used = new Set<number>();
  for (let made = 0; made < wanted;) {
    let millisecond = Math.floor(random() * DAY_MILLISECONDS);
    const isDiameter = random() < diameter;
    const packetSwitched = random() < 0.4;
    if (random() < moving) node = Math.floor(random() * NODES_PER_NETWORK);
    if (random() < moving / 10) network = Math.floor(random() * NETWORKS.length);
    // An attach: authentication, location update, cancellation of the old location.
    for (const step of [1, packetSwitched && !isDiameter ? 3 : 2, 4]) {
      if (made >= wanted || millisecond >= DAY_MILLISECONDS) break;
      made += 1;
      if (!used.has(millisecond)) rows.push(dialogue(simId, millisecond, step, isDiameter, packetSwitched, network, node, random));
      used.add(millisecond);
      millisecond += 200 + Math.floor(random() * 8000);
    }
  }
}

function dialogue(
  simId: number,
  millisecond: number,
  procedure: number,
  isDiameter: boolean,
  packetSwitched: boolean,
  network: number,
  node: number,
  random: () => number,
): Row {
  const luck = random();
  const outcome = luck < 0.93 ? 1 : luck < 0.97 ? 2 : luck < 0.99 ? 3 : 4;
  return {
    simId,
    millisecond,
    durationMs: 50 + Math.floor(random() * 900),
    protocol: isDiameter ? 2 : 1,
    procedure,
    origin: isDiameter ? 3 : procedure === 4 && random() < 0.3 ? 4 : packetSwitched ? 2 : 1,
    outcome,
    resultCode: isDiameter ? (outcome === 1 ? 2001 : 5004) : outcome === 1 ? null : 8,
    plmn: NETWORKS[network]!,
    nodeId: 1 + network * NODES_PER_NETWORK + node,
    cancellationType: procedure === 4 ? 1 : null,
    formatViolation: false,
  };
}

export function packed(rows: readonly Row[]): PackedDialogues {
  const dialogues = new PackedDialogues(rows.length);
  for (const row of rows) dialogues.add(row.simId, row);
  return dialogues;
}

/** Standard normal by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
