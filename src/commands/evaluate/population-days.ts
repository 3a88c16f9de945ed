/** What an evaluation looks at: feature rows by day and client, with the truth about them. */
import type { Day } from '../../detection/days';
import type { FeatureRows } from '../../detection/features/feature-store';

/** Something that went wrong with SIMs of a client, on these days. */
export interface TrueIncident {
  readonly kind: string;
  readonly client: string;
  readonly days: readonly Day[];
  /** null: all of the client's that were in `country` on the day. */
  readonly simIds: ReadonlySet<string> | null;
  /** ISO 3166-1 alpha-2, where no SIMs are listed; null: any. */
  readonly country: string | null;
}

export interface PopulationDays {
  readonly name: string;
  readonly days: readonly Day[];
  /** By client number. */
  readonly clients: readonly string[];
  readonly controls: readonly string[];
  readonly incidents: readonly TrueIncident[];
  /** By day, then client number; SIM ids are unique over all. */
  readonly rows: ReadonlyMap<Day, readonly FeatureRows[]>;
  /** Rows that could not be read, or name no SIM of the inventory. */
  readonly passedOver: number;
  /** What was left out, a line each. */
  readonly warnings: readonly string[];
}

/** Names in a line for a person: the first twenty. */
export function named(names: readonly string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}

/** Rows of a whole day, in the order of SIM ids, parted by client. */
export function rowsByClient(
  clients: number,
  simIds: readonly number[],
  clientOf: (simId: number) => number,
  day: { readonly countries: readonly string[]; readonly values: Float32Array },
): FeatureRows[] {
  const width = simIds.length === 0 ? 0 : day.values.length / simIds.length;
  const members = Array.from({ length: clients }, () => [] as number[]);
  simIds.forEach((simId, row) => members[clientOf(simId)]?.push(row));
  return members.map((rows) => {
    const values = new Float32Array(rows.length * width);
    rows.forEach((row, place) => values.set(day.values.subarray(row * width, (row + 1) * width), place * width));
    return {
      simIds: rows.map((row) => String(simIds[row])),
      countries: rows.map((row) => day.countries[row]!),
      blockedByUs: new Uint8Array(rows.length),
      values,
    };
  });
}
