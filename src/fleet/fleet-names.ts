/** Makes the fleets that an inventory names and that are missing. */
import type { Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';

/** Ids of these fleets of one client by name, missing ones made. */
export async function ensureFleets(
  tx: Transaction,
  by: { readonly clock: Clock; readonly entropy: Entropy },
  clientId: number,
  names: readonly string[],
): Promise<Map<string, string>> {
  const wanted = [...new Set(names)].sort();
  const found = await findFleets(tx, clientId, wanted);
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length === 0) return found;
  await tx.query(
    `INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at)
     SELECT $1::int4, fleet_id, name, $4::timestamptz, $4::timestamptz FROM unnest($2::uuid[], $3::text[]) AS missing (fleet_id, name)
     ON CONFLICT DO NOTHING RETURNING fleet_id`,
    [clientId, missing.map(() => by.entropy.uuid()), missing, by.clock.now()],
  );
  return findFleets(tx, clientId, wanted);
}

async function findFleets(tx: Transaction, clientId: number, names: readonly string[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await tx.query<{ fleet_id: string; name: string }>(
    `SELECT fleet_id, name FROM fleet WHERE client_id = $1 AND name = ANY($2::text[])`,
    [clientId, names],
  );
  return new Map(rows.map((row) => [row.name, row.fleet_id]));
}
