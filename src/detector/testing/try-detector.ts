/** Runs a detector once on rows that an author wrote, and tells what a person would see. */
import type { ColumnName } from '../columns';
import type { Detector, Severity } from '../contract';
import { firing } from './answers';
import { Bench } from './bench';
import type { Row } from './rows';

export interface Alarm {
  readonly row: number;
  readonly kind: string;
  readonly severity: Severity;
  readonly score: number;
  /** The evidence in words. */
  readonly texts: readonly string[];
}

export interface Trial {
  readonly alarms: readonly Alarm[];
  /** `KIND: reason`, each once. */
  readonly abstained: readonly string[];
}

/** `wasFiring`: kinds that were firing in the last closed window, for every row. */
export async function tryDetector<Columns extends ColumnName, Options>(
  detector: Detector<Columns, Options>,
  rows: readonly Row[],
  settings: { readonly options?: Readonly<Record<string, unknown>>; readonly wasFiring?: readonly string[] } = {},
): Promise<Trial> {
  const { meta } = detector;
  const fleet = { name: 'trial', rows, wasFiring: settings.wasFiring };
  const bench = new Bench(detector, [fleet], [], settings.options ?? {});
  const detection = await bench.detect(fleet);
  const fired = firing(meta, detection);
  const evidence = fired.length > 0 ? await bench.explain(fleet, fired) : [];
  const alarms = fired.map(({ row, kind }, index): Alarm => {
    const kindIndex = meta.kinds.findIndex(({ id }) => id === kind);
    const cell = row * meta.kinds.length + kindIndex;
    const { severity, escalated } = meta.kinds[kindIndex]!;
    return {
      row,
      kind,
      severity: detection.fires?.[cell] === 2 ? (escalated ?? severity) : severity,
      score: detection.scores[cell]!,
      texts: (evidence[index] ?? []).map(({ text }) => text),
    };
  });
  const abstained = new Set((detection.abstained ?? []).map(({ kind, reason }) => `${kind ?? 'every kind'}: ${reason}`));
  return { alarms, abstained: [...abstained] };
}
