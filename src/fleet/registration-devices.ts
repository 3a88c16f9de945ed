/** Devices and IMEI bindings of many SIMs at once. */
import type { Transaction } from '../database/database';
import type { Clock, Entropy } from '../runtime';
import type { ClaimedSim } from './registration-claims';
import { Criticality } from './states';

/** Family of a device of which nothing was said: baselines need a group. */
export const UNKNOWN_FAMILY = 'UNKNOWN';

type By = { readonly clock: Clock; readonly entropy: Entropy; readonly name: string };

/** Gives every SIM its device, and known devices what is said of them; answers the SIMs whose device was changed (made apart). */
export async function storeDevices(tx: Transaction, by: By, clientId: number, sims: readonly ClaimedSim[]): Promise<Set<string>> {
  const known = await tx.query<{ sim_id: string; family: string; criticality: Criticality }>(
    `SELECT sim_id, family, criticality FROM device WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ORDER BY sim_id FOR UPDATE`,
    [clientId, sims.map((sim) => sim.simId)],
  );
  const devices = new Map(known.map((row) => [row.sim_id, row]));
  await insertDevices(
    tx,
    by,
    clientId,
    sims
      .filter((sim) => !devices.has(sim.simId))
      .map((sim) => ({
        simId: sim.simId,
        family: sim.wanted.family ?? UNKNOWN_FAMILY,
        criticality: sim.wanted.criticality ?? Criticality.NORMAL,
      })),
  );
  const changed = sims.flatMap((sim) => {
    const before = devices.get(sim.simId);
    if (!before) return [];
    const family = sim.wanted.family ?? before.family;
    const criticality = sim.wanted.criticality ?? before.criticality;
    return family === before.family && criticality === before.criticality ? [] : [{ simId: sim.simId, family, criticality }];
  });
  if (changed.length === 0) return new Set();
  await tx.query(
    `UPDATE device SET family = changed.family, criticality = changed.criticality, updated_at = $5
       FROM unnest($2::int8[], $3::text[], $4::text[]) AS changed (sim_id, family, criticality)
      WHERE device.client_id = $1 AND device.sim_id = changed.sim_id RETURNING device.sim_id`,
    [
      clientId,
      changed.map((device) => device.simId),
      changed.map((device) => device.family),
      changed.map((device) => device.criticality),
      by.clock.now(),
    ],
  );
  return new Set(changed.map((device) => device.simId));
}

export interface NewDevice {
  readonly simId: string;
  readonly family: string;
  readonly criticality: Criticality;
}

export async function insertDevices(
  tx: Transaction,
  by: { readonly clock: Clock; readonly entropy: Entropy },
  clientId: number,
  devices: readonly NewDevice[],
): Promise<void> {
  if (devices.length === 0) return;
  await tx.query(
    `INSERT INTO device (client_id, device_id, sim_id, family, criticality, created_at, updated_at)
     SELECT $1::int4, device_id, sim_id, family, criticality, $6::timestamptz, $6::timestamptz
       FROM unnest($2::uuid[], $3::int8[], $4::text[], $5::text[]) AS wanted (device_id, sim_id, family, criticality)
     ON CONFLICT DO NOTHING RETURNING device_id`,
    [
      clientId,
      devices.map(() => by.entropy.uuid()),
      devices.map((device) => device.simId),
      devices.map((device) => device.family),
      devices.map((device) => device.criticality),
      by.clock.now(),
    ],
  );
}

export interface NewBinding {
  readonly simId: string;
  readonly imei: string;
  readonly imei14: string;
}

/** Allows these IMEIs; answers the SIMs that got one that they did not have. */
export async function bindImeis(
  tx: Transaction,
  by: { readonly clock: Clock; readonly name: string },
  clientId: number,
  bindings: readonly NewBinding[],
): Promise<Set<string>> {
  if (bindings.length === 0) return new Set();
  const rows = await tx.query<{ sim_id: string }>(
    `INSERT INTO imei_binding (client_id, sim_id, imei14, imei, bound_at, bound_by)
     SELECT $1::int4, sim_id, imei14, imei, $5::timestamptz, $6::text
       FROM unnest($2::int8[], $3::text[], $4::text[]) AS wanted (sim_id, imei14, imei)
     ON CONFLICT DO NOTHING RETURNING sim_id`,
    [
      clientId,
      bindings.map((binding) => binding.simId),
      bindings.map((binding) => binding.imei14),
      bindings.map((binding) => binding.imei),
      by.clock.now(),
      by.name,
    ],
  );
  return new Set(rows.map((row) => row.sim_id));
}
