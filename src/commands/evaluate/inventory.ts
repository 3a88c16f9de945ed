/** The SIMs of a directory and whose they are: sims.csv, or sims.csv.gz. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SimwardenError } from '../../errors';
import { normaliseIccid, normaliseImsi } from '../../fleet/identifiers';
import { csvRows, fieldAt, type Columns } from './csv-rows';

/** SIMs are numbered from 1, clients from 0. */
export class Inventory {
  readonly clients: string[] = [];
  private readonly clientNumbers = new Map<string, number>();
  /** By SIM number; SIM 0 is none. */
  private readonly clientOfSim = [-1];
  private readonly sims = new Map<string, number>();

  get simCount(): number {
    return this.clientOfSim.length - 1;
  }

  add(client: string, imsi: string, iccid: string): void {
    if (!this.clientNumbers.has(client)) this.clientNumbers.set(client, this.clients.push(client) - 1);
    const sim = this.clientOfSim.push(this.clientNumbers.get(client)!) - 1;
    for (const name of [imsi, normaliseImsi(imsi), iccid, normaliseIccid(iccid)]) if (name) this.sims.set(name, sim);
  }

  /** By IMSI or ICCID, as the file writes it or otherwise. */
  sim(name: string): number | undefined {
    return this.sims.get(name) ?? this.sims.get(normaliseIccid(name) ?? normaliseImsi(name) ?? '');
  }

  /** Number of the client that a SIM is of. */
  clientOf(sim: number): number {
    return this.clientOfSim[sim]!;
  }

  hasClient(name: string): boolean {
    return this.clientNumbers.has(name);
  }
}

const columns = { needed: ['imsi', 'client'], others: ['iccid'] } as const satisfies Columns<string>;

export async function readInventory(directory: string): Promise<Inventory> {
  const plain = join(directory, 'sims.csv');
  const file = !existsSync(plain) && existsSync(`${plain}.gz`) ? `${plain}.gz` : plain;
  const inventory = new Inventory();
  for await (const { places, rows } of csvRows<(typeof columns)[keyof typeof columns][number]>(file, columns)) {
    for (const row of rows) {
      if (row === null) continue;
      const [imsi, client] = [fieldAt(row, places.imsi).trim(), fieldAt(row, places.client).trim()];
      if (imsi && client) inventory.add(client, imsi, fieldAt(row, places.iccid).trim());
    }
  }
  if (inventory.simCount === 0) throw new SimwardenError('FILE_UNREADABLE', { file, what: 'it names no SIM with an imsi and a client' });
  return inventory;
}
