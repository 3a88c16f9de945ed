/** Options that the host turns into columns, so that no list of networks or destinations need enter a detector. */
import {
  validateOptions,
  type CategoryColumn,
  type ColumnName,
  type Detector,
  type OptionSchema,
  type OptionsSchema,
} from '../../detector';
import { isoWeekday, type Day } from '../days';

const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;

interface HostOption {
  /** A detector that reads this column may be configured with the option, whether or not its own schema names it; null: every population detector. */
  readonly column: ColumnName | null;
  readonly schema: OptionSchema;
}

const hostOptions: Readonly<Record<string, HostOption>> = {
  allowedNetworks: {
    column: 'networkAllowed',
    schema: {
      type: 'array',
      default: [],
      maxItems: 1000,
      items: { type: 'string', pattern: '^\\d{3}(-?\\d{2,3})?$' },
      description: 'Networks (214-07) or whole countries by MCC (214) where the SIMs may be; empty = no list.',
    },
  },
  allowedDestinations: {
    column: 'destinationAllowed',
    schema: {
      type: 'array',
      default: [],
      maxItems: 1000,
      items: { type: 'string', pattern: '^[a-zA-Z0-9.:_-]{1,253}$' },
      description: 'Host names, IPs or AS numbers (AS64500) that the SIMs may use; empty = no list.',
    },
  },
  modelScope: {
    column: null,
    schema: {
      type: 'string',
      default: 'PER_CLUSTER',
      enum: ['GLOBAL', 'PER_CLUSTER', 'MAJOR_CLUSTER'],
      description:
        "Which model scores a device: GLOBAL, one of all devices; PER_CLUSTER, its own cluster's; MAJOR_CLUSTER, that of the cluster which holds most of its client's devices in the country. Only the operator's counts.",
    },
  },
  expectedSilence: {
    column: 'expectedSilence',
    schema: {
      type: 'array',
      default: [],
      maxItems: 200,
      items: { type: 'string', pattern: `^(${weekdays.join('|')}|\\d{4}-\\d{2}-\\d{2}(/\\d{4}-\\d{2}-\\d{2})?)$` },
      description: 'UTC days on which silence is normal: SATURDAY, 2026-12-25, or 2026-12-24/2027-01-06.',
    },
  },
};

/**
 * Everything that the detector may be configured with: its own options, and the host's for the columns it reads. `presets`: what stands in for
 * defaults.
 */
export function configurableOptions({ meta }: Detector, presets: Readonly<Record<string, unknown>> = {}): OptionsSchema {
  const added = Object.entries(hostOptions).filter(
    ([name, { column }]) =>
      (column === null ? meta.scope === 'population' : meta.needs.includes(column)) && !Object.hasOwn(meta.options.properties, name),
  );
  const properties: Record<string, OptionSchema> = {
    ...meta.options.properties,
    ...Object.fromEntries(added.map(([name, { schema }]) => [name, schema])),
  };
  for (const [name, value] of Object.entries(presets)) properties[name] = { ...properties[name]!, default: value };
  return { ...meta.options, properties };
}

/** A configuration as the host uses it: the detector's own options with their defaults, and the host's. */
export interface EffectiveOptions {
  readonly detector: Readonly<Record<string, unknown>>;
  readonly allowedNetworks: readonly string[];
  readonly allowedDestinations: readonly string[];
  readonly expectedSilence: readonly string[];
  readonly modelScope: 'GLOBAL' | 'PER_CLUSTER' | 'MAJOR_CLUSTER';
}

/** Checks what was configured; answers the mistakes instead where there are some. */
export function effectiveOptions(detector: Detector, given: unknown): { options: EffectiveOptions } | { errors: readonly string[] } {
  const answer = validateOptions(configurableOptions(detector), given);
  if (answer.errors !== undefined) return { errors: answer.errors };
  const own = Object.keys(detector.meta.options.properties);
  const list = (name: string) => (answer.options[name] as readonly string[] | undefined) ?? [];
  return {
    options: {
      detector: Object.freeze(Object.fromEntries(own.map((name) => [name, answer.options[name]]))),
      allowedNetworks: list('allowedNetworks'),
      allowedDestinations: list('allowedDestinations'),
      expectedSilence: list('expectedSilence'),
      modelScope: (answer.options['modelScope'] as EffectiveOptions['modelScope'] | undefined) ?? 'PER_CLUSTER',
    },
  };
}

/** 1 where the network, or its country, is listed; NaN without a list or where the network is unknown. */
export function networkAllowed(network: CategoryColumn, allowed: readonly string[]): Float64Array {
  const listed = new Set(allowed.map((entry) => entry.replace('-', '')));
  return allowedByName(network, listed.size === 0 ? null : (name) => listed.has(name.replace('-', '')) || listed.has(name.slice(0, 3)));
}

export function destinationAllowed(destination: CategoryColumn, allowed: readonly string[]): Float64Array {
  const listed = new Set(allowed.map((entry) => entry.toLowerCase()));
  return allowedByName(destination, listed.size === 0 ? null : (name) => listed.has(name.toLowerCase()));
}

function allowedByName({ codes, names }: CategoryColumn, isListed: ((name: string) => boolean) | null): Float64Array {
  const byCode = names.map((name) => (isListed === null ? NaN : isListed(name) ? 1 : 0));
  return Float64Array.from(codes, (code) => byCode[code] ?? NaN);
}

/** Whether the configuration expects silence on the day. */
export function silenceExpected(expected: readonly string[], day: Day): boolean {
  const weekday = weekdays[isoWeekday(day) - 1]!;
  return expected.some((entry) => {
    const [from, to = from] = entry.split('/');
    return entry === weekday || (from! <= day && day <= to!);
  });
}
