/** The workbench on which every check puts the detector: fresh inputs, a fixed context, verdicts per SIM. */
import type { ColumnName } from '../columns';
import type { Detection, Detector, DetectorContext, DetectorInput, Evidence } from '../contract';
import { seededRandom } from '../numeric';
import { validateOptions } from '../options';
import { withAmbient, type Ambient } from './ambient';
import type { AnomalyShape } from './planted';
import { inputOf, type Memory, type Row } from './rows';

export type AnyDetector = Detector<ColumnName, never>;

/** A fleet that must not alarm. */
export interface QuietCase extends Memory {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Rows among which anomalies are planted. */
export interface AnomalousCase extends QuietCase {
  /** The kind that must fire. */
  readonly kind: string;
  /** Of `plantedUsage` and `plantedEvents`: lowers the share that must be found from all to the kit's floor for the shape. */
  readonly shape?: AnomalyShape;
  /** Ordinals of the planted rows; of events, one row of each planted SIM is enough. */
  readonly planted: readonly number[];
}

export interface DetectSettings {
  readonly seed?: number;
  readonly ambient?: Ambient;
}

export const usualAmbient: Ambient = { seed: 1, milliseconds: Date.UTC(2026, 10, 4, 6) };

export class Bench {
  private model: Promise<Uint8Array> | undefined;

  constructor(
    readonly detector: AnyDetector,
    readonly quiet: readonly QuietCase[],
    readonly anomalous: readonly AnomalousCase[],
    private readonly givenOptions: Readonly<Record<string, unknown>>,
  ) {}

  get cases(): readonly QuietCase[] {
    return [...this.quiet, ...this.anomalous];
  }

  /** A fresh input on every call: what a detector does to one never reaches the next. */
  input(of: QuietCase, rows: readonly Row[] = of.rows): DetectorInput<ColumnName> {
    return inputOf(this.detector.meta, rows, of);
  }

  async detect(of: QuietCase, input: DetectorInput<ColumnName> = this.input(of), settings: DetectSettings = {}): Promise<Detection> {
    const context = await this.context(of, settings.seed);
    return withAmbient(settings.ambient ?? usualAmbient, () => this.detector.detect(input, context));
  }

  async explain(of: QuietCase, asked: readonly { row: number; kind: string }[]): Promise<Evidence[][]> {
    const context = await this.context(of);
    const input = this.input(of);
    return withAmbient(usualAmbient, () => this.detector.explain?.(input, asked, context) ?? []);
  }

  async fit(of: QuietCase): Promise<Uint8Array> {
    const input = this.input(of);
    return withAmbient(usualAmbient, () => this.detector.fit!(input, this.bareContext(of)));
  }

  async detectWith(of: QuietCase, model: Uint8Array): Promise<Detection> {
    const input = this.input(of);
    return withAmbient(usualAmbient, () => this.detector.detect(input, { ...this.bareContext(of), model }));
  }

  private async context(of: QuietCase, seed?: number): Promise<DetectorContext<never>> {
    if (this.detector.fit === undefined) return this.bareContext(of, seed);
    this.model ??= this.fit(this.quiet[0]!);
    return { ...this.bareContext(of, seed), model: (await this.model).slice() };
  }

  private bareContext(of: QuietCase, seed = 1): DetectorContext<never> {
    const answer = validateOptions(this.detector.meta.options, { ...this.givenOptions, ...of.options });
    if (answer.errors !== undefined) throw new Error(`the options given to the kit are wrong: ${answer.errors.join('; ')}`);
    return {
      options: answer.options as never,
      random: seededRandom(seed),
      now: usualAmbient.milliseconds,
      signal: new AbortController().signal,
    };
  }
}
