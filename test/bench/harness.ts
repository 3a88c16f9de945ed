/** How every suite measures: the sides take turns in one run, and what is compared is the median of their CPU seconds or wall seconds, never a figure of another day. */
import { cpus } from 'node:os';

/** What one turn of one side cost. */
export interface Sample {
  /** User and system time of this process, its threads included; a side that works in another process answers its own. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** One way of doing the job. `run` answers its own sample where this process's clock would measure the wrong thing (another process did the work). */
export interface Side {
  readonly name: string;
  /** Brings the world back to where `run` starts; not measured. */
  readonly prepare?: () => Promise<void> | void;
  readonly run: () => Promise<Partial<Sample> | void> | Partial<Sample> | void;
}

export interface SuiteOptions {
  /** Turns of each side; at least five. */
  readonly repeats: number;
  /** The size that takes long, where a suite has one. */
  readonly full: boolean;
  /** One line of progress. */
  readonly say: (line: string) => void;
}

export interface Report {
  /** Ratios measured side by side, by the names that the targets use. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Everything else worth knowing; no property of the product. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface Suite {
  readonly name: string;
  /** What is compared with what, in one or two sentences. */
  readonly summary: string;
  run(options: SuiteOptions): Promise<Report>;
}

/** Lets the sides take turns: each repeat runs every side once, in an order that alternates. One turn of each goes before and isn't counted. */
export async function interleave(sides: readonly Side[], options: SuiteOptions): Promise<ReadonlyMap<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(sides.map((side) => [side.name, []]));
  for (let repeat = -1; repeat < options.repeats; repeat++) {
    const order = repeat % 2 === 0 ? sides : [...sides].reverse();
    for (const side of order) {
      await side.prepare?.();
      const sample = await measure(side);
      if (repeat < 0) continue;
      samples.get(side.name)!.push(sample);
      options.say(
        `${side.name}: ${sample.wallSeconds.toFixed(3)} s, ${sample.cpuSeconds.toFixed(3)} CPU s (${repeat + 1} of ${options.repeats})`,
      );
    }
  }
  return samples;
}

async function measure(side: Side): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const wallBefore = process.hrtime.bigint();
  const own = await side.run();
  const wallSeconds = Number(process.hrtime.bigint() - wallBefore) / 1e9;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds, ...own };
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('expected values to take the median of, got none');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of one measure of one side. */
export function medianOf(samples: ReadonlyMap<string, readonly Sample[]>, side: string, measureOf: keyof Sample): number {
  return median((samples.get(side) ?? []).map((sample) => sample[measureOf]));
}

/** How many times as fast `side` is as `peer`: the median of one over the median of the other. */
export function ratio(samples: ReadonlyMap<string, readonly Sample[]>, side: string, peer: string, measureOf: keyof Sample): number {
  return medianOf(samples, peer, measureOf) / medianOf(samples, side, measureOf);
}

/** The machine in a line, to stand above figures. */
export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`;
}
