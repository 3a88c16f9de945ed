/** Whose each record is: the SIM's owner at the record's own time, asked anew for every chunk, since another process may have moved it. */
import type { Transaction } from '../database/database';
import { lookup, ownerAt, type DirectoryEntry } from '../fleet';
import { plainArray } from './array-literal';
import type { TelemetryRecord } from './record-kind';

export interface Owner {
  readonly clientId: number;
  readonly simId: string;
}

export class Owners {
  private constructor(private readonly entries: ReadonlyMap<string, readonly DirectoryEntry[]>) {}

  static async of(tx: Transaction, records: Iterable<Pick<TelemetryRecord, 'iccid'>>): Promise<Owners> {
    const iccids = new Set<string>();
    for (const record of records) iccids.add(record.iccid);
    const entries = new Map<string, DirectoryEntry[]>();
    for (const entry of await settledEntries(tx, 'ICCID', [...iccids])) {
      const known = entries.get(entry.value);
      if (known) known.push(entry);
      else entries.set(entry.value, [entry]);
    }
    return new Owners(entries);
  }

  /** null: nobody's at that time. */
  find(record: Pick<TelemetryRecord, 'iccid' | 'startedAt'>): Owner | null {
    const entries = this.entries.get(record.iccid);
    const owner = entries ? ownerAt(entries, record.iccid, new Date(record.startedAt)) : null;
    return owner && owner.simId !== null ? { clientId: owner.clientId, simId: owner.simId } : null;
  }
}

/** The directory's entries of these identifiers whose SIM is there, oldest first. */
export async function settledEntries(tx: Transaction, kind: 'ICCID' | 'IMSI', values: readonly string[]): Promise<DirectoryEntry[]> {
  const found = await lookup(tx, kind, values);
  const there = await simsThatAreThere(tx, found);
  return found.filter((entry) => entry.simId !== null && there.has(entry.simId));
}

/**
 * The directory is written before the SIM, in a transaction of its own: between the two, and after a kill between them, nobody knows yet which fleet
 * the SIM is in. Such records are held like any that came before their SIM.
 */
async function simsThatAreThere(tx: Transaction, entries: readonly DirectoryEntry[]): Promise<Set<string>> {
  const rows = await tx.query<{ sim_id: string }>('SELECT sim_id FROM sim WHERE client_id = ANY($1::int4[]) AND sim_id = ANY($2::int8[])', [
    plainArray([...new Set(entries.map((entry) => entry.clientId))]),
    plainArray(entries.flatMap((entry) => entry.simId ?? [])),
  ]);
  return new Set(rows.map((row) => row.sim_id));
}
