/** Two million dialogues in and their features out on the embedded database, and whether the process says meanwhile that it is ready. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalingPopulation } from '../../../seeds/signaling';
import { writeDialogues, writeInventory } from './feed';
import { ServerProcess } from './house';

/** Some two million dialogues: on a population's only day all of its incidents happen. */
const SIMS = 27_500;
const END = Date.parse('2026-11-12T00:00:00Z');
const NEXT_EVENING = '2026-11-12T18:00:00Z';
const POLL_MILLISECONDS = 50;

export async function onEmbedded(sims = SIMS): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-'));
  const file = join(directory, 'rows.csv');
  const population = signalingPopulation({ sims, days: 1, seed: 1, end: new Date(END) });
  const server = await ServerProcess.start({
    databaseUrl: null,
    dataDirectory: join(directory, 'data'),
    now: NEXT_EVENING,
    // the features are what is asked of it, not the population
    populationSchedule: '0 0 1 1 *',
  });
  try {
    await server.post('sims', file, 'sims', await writeInventory(file, population));
    const dialogues = await writeDialogues(file, population, 0);
    const readiness = pollReadiness(server.url);
    const began = performance.now();
    await server.post('dialogues', file, 'day', dialogues);
    const ingested = performance.now();
    await server.ask('settle');
    const settled = performance.now();
    const { longestMilliseconds, notReady } = await readiness.end();
    const { peakBytes } = await server.ask<{ peakBytes: number }>('usage');
    return {
      embedded_dialogues: dialogues,
      embedded_ingest_minutes: (ingested - began) / 60_000,
      embedded_features_and_close_minutes: (settled - ingested) / 60_000,
      embedded_longest_readyz_ms: longestMilliseconds,
      embedded_not_ready: notReady,
      embedded_peak_gib: peakBytes / 2 ** 30,
    };
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Asks until it is ended. */
function pollReadiness(url: string): { end(): Promise<{ longestMilliseconds: number; notReady: number }> } {
  let asking = true;
  let longestMilliseconds = 0;
  let notReady = 0;
  const asked = (async () => {
    while (asking) {
      const before = performance.now();
      const answer = await fetch(`${url}/readyz`);
      await answer.text();
      longestMilliseconds = Math.max(longestMilliseconds, performance.now() - before);
      if (answer.status !== 200) notReady += 1;
      await new Promise((next) => setTimeout(next, POLL_MILLISECONDS));
    }
  })();
  return {
    end: async () => {
      asking = false;
      await asked;
      return { longestMilliseconds, notReady };
    },
  };
}
