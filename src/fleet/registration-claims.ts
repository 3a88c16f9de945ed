/** The directory's part of a registration: which SIM each ICCID is, who may have it, and the ids of what is new. Written before anything else. */
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { claim, lookup, lookupClientNames, SINCE_EVER, type Claim, type DirectoryEntry } from './directory';
import type { WantedSim } from './registration-rows';

export interface ClaimedSim {
  readonly wanted: WantedSim;
  readonly clientId: number;
  readonly simId: string;
  /** It came from another client. */
  readonly moved: boolean;
}

export interface Claims {
  readonly claimed: ClaimedSim[];
  readonly rejected: { readonly wanted: WantedSim; readonly error: SimwardenError }[];
}

/** Another registration claimed the same at the same moment: its commit was waited for, so the next try sees it. */
export class ClaimLost extends Error {}

/**
 * Resolves every wanted SIM or rejects it; claims what is new. All or nothing: a value lost to a concurrent registration throws ClaimLost,
 * which rolls back, so that no ICCID stays reserved for a row that is then rejected.
 */
export async function claimSims(tx: Transaction, wanted: readonly WantedSim[], now: Date): Promise<Claims> {
  // In the reverse order of writing: a registration that commits meanwhile is seen whole from some point on, so its IMSI never shows without its ICCID.
  const imsis = presentOwners(
    await lookup(
      tx,
      'IMSI',
      wanted.flatMap((sim) => sim.imsi ?? []),
    ),
  );
  const iccids = presentOwners(
    await lookup(
      tx,
      'ICCID',
      wanted.map((sim) => sim.key),
    ),
  );
  const clients = await lookupClientNames(
    tx,
    wanted.map((sim) => sim.client),
  );
  const accepted: WantedSim[] = [];
  const rejected: Claims['rejected'] = [];
  const iccidTakenBy = new Map<string, WantedSim>();
  const imsiTakenBy = new Map<string, WantedSim>();
  for (const sim of wanted) {
    const owner = iccids.get(sim.key);
    const imsiOwner = sim.imsi === null ? undefined : imsis.get(sim.imsi);
    const iccidFree = owner ? owner.clientId === clients.get(sim.client) : !iccidTakenBy.has(sim.key);
    const imsiFree = sim.imsi === null || (imsiOwner ? sameSim(imsiOwner, owner) : !imsiTakenBy.has(sim.imsi));
    if (!iccidFree || !imsiFree) {
      rejected.push({ wanted: sim, error: taken(sim, iccidFree) });
      continue;
    }
    accepted.push(sim);
    iccidTakenBy.set(sim.key, sim);
    if (sim.imsi !== null) imsiTakenBy.set(sim.imsi, sim);
  }
  await claimClients(tx, accepted, clients, now);
  const simIds = await newSimIds(tx, accepted.filter((sim) => !iccids.has(sim.key)).length);
  const claimed = accepted.map((sim) => {
    const owner = iccids.get(sim.key);
    const moved = owner !== undefined && owner.validFrom > SINCE_EVER;
    return { wanted: sim, clientId: clients.get(sim.client)!, simId: owner?.simId ?? simIds.pop()!, moved };
  });
  await claimAll(
    tx,
    'ICCID',
    claimed.filter(({ wanted: sim }) => !iccids.has(sim.key)).map((sim) => asClaim(sim, sim.wanted.key)),
    now,
  );
  await claimAll(
    tx,
    'IMSI',
    claimed.filter(({ wanted: sim }) => sim.imsi !== null && !imsis.has(sim.imsi)).map((sim) => asClaim(sim, sim.wanted.imsi!)),
    now,
  );
  return { claimed, rejected };
}

function presentOwners(entries: readonly DirectoryEntry[]): Map<string, DirectoryEntry> {
  return new Map(entries.filter((entry) => entry.validTo === null).map((entry) => [entry.value, entry]));
}

function sameSim(a: DirectoryEntry, b: DirectoryEntry | undefined): boolean {
  return b !== undefined && a.clientId === b.clientId && a.simId === b.simId;
}

function taken(sim: WantedSim, iccidFree: boolean): SimwardenError {
  return iccidFree
    ? new SimwardenError('IDENTIFIER_TAKEN', { field: 'IMSI', given: sim.imsi }, ['imsi'])
    : new SimwardenError('IDENTIFIER_TAKEN', { field: 'ICCID', given: sim.iccid }, ['iccid']);
}

function asClaim(sim: ClaimedSim, value: string): Claim {
  return { value, clientId: sim.clientId, simId: sim.simId };
}

async function claimAll(tx: Transaction, kind: 'ICCID' | 'IMSI' | 'CLIENT_NAME', claims: readonly Claim[], now: Date): Promise<void> {
  const won = await claim(tx, kind, claims, now);
  if (won.length < claims.length)
    throw new ClaimLost(`${claims.length - won.length} of ${claims.length} ${kind} values were claimed by another registration`);
}

async function claimClients(tx: Transaction, accepted: readonly WantedSim[], clients: Map<string, number>, now: Date): Promise<void> {
  const names = [...new Set(accepted.map((sim) => sim.client))].filter((name) => !clients.has(name));
  const ids = await newClientIds(tx, names.length);
  names.forEach((name, i) => clients.set(name, ids[i]!));
  await claimAll(
    tx,
    'CLIENT_NAME',
    names.map((name) => ({ value: name, clientId: clients.get(name)!, simId: null })),
    now,
  );
}

export async function newClientIds(tx: Transaction, count: number): Promise<number[]> {
  if (count === 0) return [];
  const rows = await tx.query<{ id: number }>(`SELECT nextval('client_client_id_seq')::int4 AS id FROM generate_series(1, $1::int4)`, [
    count,
  ]);
  return rows.map((row) => row.id);
}

export async function newSimIds(tx: Transaction, count: number): Promise<string[]> {
  if (count === 0) return [];
  const rows = await tx.query<{ id: string }>(`SELECT nextval('sim_id') AS id FROM generate_series(1, $1::int4)`, [count]);
  return rows.map((row) => row.id).reverse();
}
