/** THE CONTRACT: what a detector is. Imports nothing but the column catalogue; built-ins and partners' detectors see exactly this. */
import type { ColumnName, ColumnsOf } from './columns';
import type { FeatureMatrix } from './feature-matrix';

export const CONTRACT_VERSION = 1;

/**
 * What the rows of an input are: SIM-days (`usage`), single events of SIMs in time order (`events`), the 95 daily signaling features of a SIM
 * (`features`), or the services of a visited country hour by hour (`services`).
 */
export type InputKind = 'usage' | 'events' | 'features' | 'services';

export type Severity = 'INFO' | 'WARNING' | 'CRITICAL';

/** One thing a detector can find; an alert is (client, subject, detector, kind). */
export interface Kind {
  /** `[A-Z][A-Z0-9_]{0,63}`, unique in the detector, never reused for another meaning. */
  readonly id: string;
  /** One line an engineer understands in an alert list. */
  readonly title: string;
  /** Severity where `fires` is 1. */
  readonly severity: Severity;
  /** Severity where `fires` is 2: the same trouble, worse (a limit is breached rather than near). */
  readonly escalated?: Severity;
  /** What the alert is about. Rows of one fleet, network, country or client are merged by the host: the highest `fires`, then the highest score, speaks. */
  readonly subject: 'SIM' | 'FLEET' | 'CLIENT' | 'NETWORK' | 'COUNTRY';
  /** The window that a hit belongs to: evaluating it again updates the same occurrence. */
  readonly window: 'DAY' | 'WEEK' | 'BILLING_CYCLE';
  /** `ANY_TIME`: judged on the open day too (running totals may only grow). `CLOSED_DAY`: only once the day is closed (drops and silence). */
  readonly judged: 'ANY_TIME' | 'CLOSED_DAY';
}

/** JSON Schema (draft 2020-12 subset: object of number, integer, string, boolean, enum, array of these) with a `default` for every option. */
export interface OptionsSchema {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly properties: Readonly<Record<string, OptionSchema>>;
}
export interface OptionSchema {
  readonly type: 'number' | 'integer' | 'string' | 'boolean' | 'array';
  /** What it means, with its unit. */
  readonly description: string;
  readonly default: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly (string | number)[];
  readonly items?: { readonly type: 'string' | 'number' | 'integer'; readonly pattern?: string };
  readonly maxItems?: number;
  readonly pattern?: string;
}

/** What `detect` sees of its options, inferred from their schema: `{ multiple: { type: 'number', … } }` becomes `{ multiple: number }`. */
export type OptionsOf<Schema extends OptionsSchema> = {
  readonly [Name in keyof Schema['properties']]: OptionValue<Schema['properties'][Name]>;
};
type OptionValue<Option> = Option extends { readonly enum: readonly (infer Value)[] }
  ? Value
  : Option extends { readonly type: 'number' | 'integer' }
    ? number
    : Option extends { readonly type: 'string' }
      ? string
      : Option extends { readonly type: 'boolean' }
        ? boolean
        : Option extends { readonly type: 'array'; readonly items: { readonly type: 'string' } }
          ? readonly string[]
          : Option extends { readonly type: 'array' }
            ? readonly number[]
            : unknown;

export interface DetectorMeta<Columns extends ColumnName> {
  /** `[a-z][a-z0-9-]{0,63}`; partners prefix theirs: `acme-night-traffic`. */
  readonly id: string;
  /** Semantic version of the detector; a model fitted by another version is refused. */
  readonly version: string;
  readonly contract: typeof CONTRACT_VERSION;
  readonly title: string;
  /** What it finds and how, in one or two sentences. */
  readonly summary: string;
  readonly input: InputKind;
  /** The columns it reads; reading another is a compile error and a MUST NOT. */
  readonly needs: readonly Columns[];
  /** Of `features`: it works on whatever number columns it is fitted on, under any names; its model MUST remember them and refuse others. `simwarden score` runs such detectors on any table. */
  readonly anyColumns?: boolean;
  readonly kinds: readonly Kind[];
  readonly options: OptionsSchema;
  /** `itself`: the detector sets `fires`. `by-rank`: the host flags scores above the contamination threshold. */
  readonly decides: 'itself' | 'by-rank';
  readonly scope: 'client' | 'population';
  /** Numbers of state carried per SIM from one closed window to the next, 0 to 8. Default 0. */
  readonly stateWidth?: number;
  /** Paper, standard or guide it follows. */
  readonly reference?: string;
  /** Where it fails or should not be used. */
  readonly limits: string;
}

/** Columnar input: `rows` rows, ordinals 0…rows−1. Identifiers never enter a detector; the host maps rows back. */
export interface DetectorInput<Columns extends ColumnName> {
  readonly rows: number;
  readonly columns: ColumnsOf<Columns>;
  /** Of `features`, where the host has them so: the same numbers row by row, without `blockedByUs`. Read it through `featureMatrix`, which makes it where it is missing. */
  readonly matrix?: FeatureMatrix;
  /** rows × kinds, row-major: 1 where the kind was firing for the row's subject in the last closed window. */
  readonly wasFiring: Uint8Array;
  /** rows × kinds: for how many consecutive closed windows before this one the kind fired. */
  readonly consecutiveWindows: Int32Array;
  /** rows × stateWidth: state after the last closed window; NaN where there is none. */
  readonly previousState: Float64Array;
}

export interface DetectorContext<Options> {
  /** The options, validated against the schema, defaults filled in. */
  readonly options: Options;
  /** The model that `fit` made, where there is one. */
  readonly model?: Uint8Array;
  /** Seeded uniform numbers in [0, 1): the same (input, options, model, seed) MUST give the same answer. */
  readonly random: () => number;
  /** Event time in milliseconds since the epoch: how far the data is known. Never the wall clock. */
  readonly now: number;
  /** Aborted when the time budget is spent or the run is interrupted. */
  readonly signal: AbortSignal;
}

export interface Detection {
  /** rows × kinds, row-major; higher = more anomalous; finite, or NaN where the row abstained. */
  readonly scores: Float64Array;
  /** rows × kinds: 0 doesn't fire, 1 fires, 2 fires escalated. Required where `decides` is `itself`. */
  readonly fires?: Uint8Array;
  /** Rows that can't be judged and why. Abstaining is not zero: it neither raises nor clears an alert. Without `kind`, all kinds of the row. */
  readonly abstained?: readonly { readonly row: number; readonly kind?: string; readonly reason: string }[];
  /** rows × stateWidth. */
  readonly state?: Float64Array;
}

export const evidenceUnits = [
  'bytes',
  'events',
  'days',
  'ratio',
  'percent',
  'seconds',
  'minutes',
  'SIMs',
  'dialogues',
  'networks',
  'nodes',
  'changes',
  '',
] as const;

/** One reason for a verdict, in numbers an engineer can check. */
export interface Evidence {
  /** The column (or feature) it speaks of. */
  readonly column: string;
  readonly observed: number | string | null;
  readonly expected: number | string | null;
  /** One of `evidenceUnits`, or '' for names. */
  readonly unit: string;
  /** Share of the verdict it explains, 0 to 1. */
  readonly weight: number;
  /** The same in words, without identifiers: "412 MB today, limit 100 MB". */
  readonly text: string;
}

export interface Detector<Columns extends ColumnName = ColumnName, Options = Readonly<Record<string, unknown>>> {
  readonly meta: DetectorMeta<Columns>;
  /** Learns a model; the rows come in canonical order. */
  fit?(input: DetectorInput<Columns>, context: DetectorContext<Options>): Uint8Array | Promise<Uint8Array>;
  detect(input: DetectorInput<Columns>, context: DetectorContext<Options>): Detection | Promise<Detection>;
  /** Called for flagged rows only; one list of evidence per asked (row, kind). */
  explain?(
    input: DetectorInput<Columns>,
    rows: readonly { readonly row: number; readonly kind: string }[],
    context: DetectorContext<Options>,
  ): Evidence[][] | Promise<Evidence[][]>;
}

/** Makes a detector; only infers the types of its columns and options, so a detector stays a plain value. */
export function defineDetector<const Columns extends ColumnName, const Schema extends OptionsSchema>(
  detector: Detector<Columns, OptionsOf<Schema>> & { readonly meta: DetectorMeta<Columns> & { readonly options: Schema } },
): Detector<Columns, OptionsOf<Schema>> {
  return detector;
}
