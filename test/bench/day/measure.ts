/** One day of a fleet through the whole of it: registered and fitted on days before, which isn't counted, then taken in, judged and alerted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalingPopulation } from '../../../seeds/signaling';
import { writeDialogues, writeInventory } from './feed';
import { BenchDatabase, ServerProcess } from './house';
import type { Lap } from './stopwatch';

/** A Wednesday, and what the server knew before: the day before it, and the one that leaves its 30 days. */
const DAYS = 31;
const LEAVING_DAY = 0;
const DAY_BEFORE = 29;
const MEASURED_DAY = 30;
/** All incidents of the population fall on the measured day; with them, this gives the paper's 170M dialogues for 4M SIMs. */
const VOLUME = 0.294;
const END = Date.parse('2026-11-12T00:00:00Z');
const HOUR_MILLISECONDS = 3_600_000;
/** Days close at noon, and the population is judged. */
const EVENING = 18 * HOUR_MILLISECONDS;

export interface MeasuredDay {
  readonly sims: number;
  readonly dialogues: number;
  readonly alerts: number;
  /** By step, in the order in which they first happened. */
  readonly laps: Readonly<Record<string, Lap>>;
  readonly peakBytes: number;
}

export async function measureDay(sims: number, say: (line: string) => void): Promise<MeasuredDay> {
  const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-'));
  const database = await BenchDatabase.create(`simwarden_bench_day_${process.pid}`);
  const population = signalingPopulation({ sims, days: DAYS, seed: 1, end: new Date(END), volume: VOLUME });
  const file = join(directory, 'rows.csv');
  try {
    const before = await ServerProcess.start({ databaseUrl: database.url, now: instant(END - 24 * HOUR_MILLISECONDS + EVENING) });
    try {
      await before.post('sims', file, 'sims', await writeInventory(file, population));
      // in this order, or the empty days between would be closed one by one
      for (const day of [DAY_BEFORE, LEAVING_DAY]) {
        await before.post('dialogues', file, `day ${day}`, await writeDialogues(file, population, day));
        await before.ask('settle');
      }
      say(`${sims} SIMs are registered, and models are fitted on the day before.`);
    } finally {
      await before.close();
    }
    const dialogues = await writeDialogues(file, population, MEASURED_DAY);
    await database.rest();
    const server = await ServerProcess.start({ databaseUrl: database.url, now: instant(END + EVENING) });
    try {
      return { sims, dialogues, ...(await throughTheDay(server, database, file, dialogues)) };
    } finally {
      await server.close();
    }
  } finally {
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface CpuSeconds {
  readonly cpuSeconds: number;
  readonly databaseCpuSeconds: number;
}

async function throughTheDay(
  server: ServerProcess,
  database: BenchDatabase,
  file: string,
  dialogues: number,
): Promise<Omit<MeasuredDay, 'sims' | 'dialogues'>> {
  const alertsBefore = await database.count('SELECT count(*) FROM alert');
  const from = await server.ask<CpuSeconds>('begin');
  const began = performance.now();
  await server.post('dialogues', file, 'measured', dialogues);
  const wallSeconds = (performance.now() - began) / 1000;
  const to = await server.ask<CpuSeconds>('begin');
  const laps = await server.ask<Record<string, Lap>>('settle');
  const { peakBytes } = await server.ask<{ peakBytes: number }>('usage');
  const decided = await database.count(`SELECT count(*) FROM population_run WHERE state = 'SUCCEEDED' AND to_day = '2026-11-11'`);
  if (decided !== 1) throw new Error(`expected the day to be judged once, got ${decided}`);
  return {
    laps: {
      ingest: {
        wallSeconds,
        cpuSeconds: to.cpuSeconds - from.cpuSeconds,
        databaseCpuSeconds: to.databaseCpuSeconds - from.databaseCpuSeconds,
      },
      ...laps,
    },
    alerts: (await database.count('SELECT count(*) FROM alert')) - alertsBefore,
    peakBytes,
  };
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
