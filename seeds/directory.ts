/** Writes a population as files: sims.csv, one file per kind and day, and truth.json. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { columns, simsCsv, toCsv, truthOf } from './csv';
import type { Population } from './population';
import { telemetryBetween } from './records';

const DAY = 86_400_000;

export async function simulateToDirectory(
  population: Population,
  directory: string,
  onProgress: (doneDays: number, days: number) => void,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'sims.csv'), simsCsv(population));
  await writeFile(join(directory, 'truth.json'), `${JSON.stringify(truthOf(population), null, 2)}\n`);
  const days = Math.round((population.to.getTime() - population.from.getTime()) / DAY);
  for (let day = 0; day < days; day++) {
    const from = new Date(population.from.getTime() + day * DAY);
    const { usage, connectionEvents, deviceEvents } = telemetryBetween(population, from, new Date(from.getTime() + DAY));
    const name = from.toISOString().slice(0, 10);
    await writeFile(join(directory, `usage-${name}.csv`), toCsv(usage, columns.usage));
    await writeFile(join(directory, `connection-events-${name}.csv`), toCsv(connectionEvents, columns.connectionEvents));
    await writeFile(join(directory, `device-events-${name}.csv`), toCsv(deviceEvents, columns.deviceEvents));
    onProgress(day + 1, days);
  }
}
