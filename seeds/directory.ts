/** Writes a population as files: sims.csv, one file per kind and day, and truth.json. Nothing is held that grows with the days. */
import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { columns, simsCsv, toCsv, truthOf } from './csv';
import type { Population } from './population';
import { telemetryBetween, type Telemetry } from './records';
import { dialogueCsv, inventoryLines, trueStories, type DialogueOrder, type SignalingPopulation } from './signaling';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** `signaling` holds the story fleets' SIMs as its guests. */
export async function simulateToDirectory(
  population: Population,
  signaling: SignalingPopulation,
  directory: string,
  options: DialogueOrder,
  onProgress: (doneDays: number) => void,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeInventory(population, signaling, join(directory, 'sims.csv'));
  await writeFile(join(directory, 'truth.json'), `${JSON.stringify(wholeTruth(population, signaling), null, 2)}\n`);
  for (let day = 0; day < signaling.days; day++) {
    const from = new Date(population.from.getTime() + day * DAY);
    const name = from.toISOString().slice(0, 10);
    await writeTelemetry(population, from, (kind) => join(directory, `${kind}-${name}.csv`));
    await writeDialogues(signaling, day, join(directory, `dialogues-${name}.csv`), options);
    onProgress(day + 1);
  }
}

/** The ground truth as `truth.json` holds it. */
export function wholeTruth(population: Population, signaling: SignalingPopulation): object {
  const { stories, controls } = truthOf(population);
  return { stories: [...stories, ...trueStories(signaling)], controls: [...controls, ...signaling.controls] };
}

async function writeInventory(population: Population, signaling: SignalingPopulation, path: string): Promise<void> {
  const storyClients = new Set(population.sims.map((sim) => sim.client));
  await withFile(path, async (file) => {
    await file.write(simsCsv(population));
    const others = signaling.clients.filter((client) => !storyClients.has(client.name));
    for (const lines of inventoryLines(signaling, others)) await file.write(lines);
  });
}

const recordKinds = {
  usage: { kind: 'usage', of: (telemetry: Telemetry) => telemetry.usage, columns: columns.usage },
  connectionEvents: {
    kind: 'connection-events',
    of: (telemetry: Telemetry) => telemetry.connectionEvents,
    columns: columns.connectionEvents,
  },
  deviceEvents: { kind: 'device-events', of: (telemetry: Telemetry) => telemetry.deviceEvents, columns: columns.deviceEvents },
} as const;

/** Hour by hour: a large fleet's day doesn't fit into memory as rows. */
async function writeTelemetry(population: Population, from: Date, pathOf: (kind: string) => string): Promise<void> {
  const kinds = Object.values(recordKinds);
  const files = await Promise.all(kinds.map(({ kind }) => open(pathOf(kind), 'w')));
  try {
    for (const [place, kind] of kinds.entries()) await files[place]!.write(toCsv([], kind.columns));
    for (let hour = 0; hour < 24; hour++) {
      const start = from.getTime() + hour * HOUR;
      const telemetry = telemetryBetween(population, new Date(start), new Date(start + HOUR));
      for (const [place, kind] of kinds.entries()) await files[place]!.write(withoutHeader(toCsv(kind.of(telemetry), kind.columns)));
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

function withoutHeader(csv: string): string {
  return csv.slice(csv.indexOf('\n') + 1);
}

async function writeDialogues(signaling: SignalingPopulation, day: number, path: string, options: DialogueOrder): Promise<void> {
  await withFile(path, async (file) => {
    for (const block of dialogueCsv(signaling, day, options)) {
      for (let at = 0; at < block.length;) at += (await file.write(block, at)).bytesWritten;
    }
  });
}

async function withFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'w');
  try {
    await write(file);
  } finally {
    await file.close();
  }
}
