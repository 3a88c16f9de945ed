/** `bench day`: the paper's day of 4M SIMs and 170M dialogues from HTTP to committed alerts, at 1/100 and 1/20 of its size (`--full`: 1/20 and whole). */
import { buildKernels } from '../kernels';
import type { Report, Suite, SuiteOptions } from '../harness';
import { onEmbedded } from './embedded';
import { measureDay, type MeasuredDay } from './measure';
import { CLOSING } from './stopwatch';

const WHOLE = 4_000_000;
const SIZES = [WHOLE / 100, WHOLE / 20] as const;
const FULL_SIZES = [WHOLE / 20, WHOLE] as const;

export const suite: Suite = {
  name: 'day',
  summary:
    'One day of a fleet on PostgreSQL: ingest over HTTP, features, 30-day sums, assignment, forest, mixture and Tukey, decision, alerts committed; models fitted before. No peer: figures, projected to 4M SIMs from the larger of two sizes; and two million dialogues with their features on the embedded database.',
  run,
};

async function run({ full, say }: SuiteOptions): Promise<Report> {
  await buildKernels();
  const [small, large] = full ? FULL_SIZES : SIZES;
  const smaller = await measureDay(small, say);
  const larger = await measureDay(large, say);
  const linearity = secondsPerSim(larger) / secondsPerSim(smaller);
  return { ratios: {}, figures: { linearity, ...figuresOf(larger), ...(await onEmbedded()) } };
}

function figuresOf({ sims, dialogues, alerts, laps, peakBytes }: MeasuredDay): Record<string, number> {
  const minutes = Object.entries(laps).flatMap(([step, { wallSeconds, cpuSeconds, databaseCpuSeconds }]) => [
    [`${step}_minutes`, wallSeconds / 60],
    [`${step}_cpu_minutes`, cpuSeconds / 60],
    [`${step}_database_cpu_minutes`, databaseCpuSeconds / 60],
  ]);
  return {
    sims,
    dialogues,
    alerts,
    projected_minutes: ((secondsOf(laps) / 60) * WHOLE) / sims,
    projected_minutes_with_closing: (((secondsOf(laps) + (laps[CLOSING]?.wallSeconds ?? 0)) / 60) * WHOLE) / sims,
    peak_gib: peakBytes / 2 ** 30,
    ...(Object.fromEntries(minutes) as Record<string, number>),
  };
}

function secondsOf(laps: MeasuredDay['laps']): number {
  return Object.entries(laps).reduce((sum, [step, { wallSeconds }]) => sum + (step === CLOSING ? 0 : wallSeconds), 0);
}

function secondsPerSim({ sims, laps }: MeasuredDay): number {
  return secondsOf(laps) / sims;
}
