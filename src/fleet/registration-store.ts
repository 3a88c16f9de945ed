/** One client's part of a registration: SIMs, fleet history, devices and bindings in a few statements, in one transaction that can be repeated. */
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { Clock, Entropy } from '../runtime';
import { release, SINCE_EVER } from './directory';
import { ensureFleets } from './fleet-names';
import { bindImeis, storeDevices } from './registration-devices';
import type { ClaimedSim } from './registration-claims';

export interface StoredSims {
  readonly registered: ReadonlySet<string>;
  readonly updated: ReadonlySet<string>;
  /** SIMs that can't be registered now: moved away since the directory was asked, or on their way here. */
  readonly refused: ReadonlyMap<string, SimwardenError>;
  /** SIMs known before whose evaluation may change. */
  readonly settingsChanged: readonly string[];
}

interface KnownSim {
  readonly sim_id: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly fleet_id: string | null;
  readonly closed_at: Date | null;
}

type By = { readonly clock: Clock; readonly entropy: Entropy; readonly name: string };

export async function storeSims(
  tx: Transaction,
  by: By,
  clientId: number,
  clientName: string,
  sims: readonly ClaimedSim[],
): Promise<StoredSims> {
  await ensureClient(tx, by, clientId, clientName);
  const fleets = await ensureFleets(
    tx,
    by,
    clientId,
    sims.flatMap((sim) => sim.wanted.fleet ?? []),
  );
  const simIds = sims.map((sim) => sim.simId);
  let known = await lockSims(tx, clientId, simIds);
  // A move that was interrupted is completed by moveSim alone, which knows whether the SIM is blocked.
  const missing = sims.filter((sim) => !known.has(sim.simId) && !sim.moved);
  const registered = await insertSims(tx, by, clientId, missing, fleets);
  // What could not be inserted was stored by a concurrent repeat of the same registration.
  if (registered.size < missing.length) known = await lockSims(tx, clientId, simIds);
  const refused = new Map<string, SimwardenError>();
  for (const { simId, moved, wanted } of sims) {
    if (known.get(simId)?.closed_at)
      refused.set(simId, new SimwardenError('IDENTIFIER_TAKEN', { field: 'ICCID', given: wanted.iccid }, ['iccid']));
    else if (moved && !known.has(simId)) refused.set(simId, interruptedMove());
  }
  const open = sims.filter((sim) => !refused.has(sim.simId));
  const former = open.filter((sim) => !registered.has(sim.simId));
  const changed = await updateSims(tx, by, clientId, former, known, fleets);
  const devices = await storeDevices(tx, by, clientId, open);
  const bound = await bindImeis(
    tx,
    by,
    clientId,
    open.flatMap((sim) => [...sim.wanted.imeis.values()].map((imei) => ({ simId: sim.simId, ...imei }))),
  );
  const settingsChanged = former.map((sim) => sim.simId).filter((id) => changed.fleets.has(id) || devices.has(id) || bound.has(id));
  return {
    registered,
    updated: new Set(former.map((sim) => sim.simId).filter((id) => changed.sims.has(id) || devices.has(id) || bound.has(id))),
    refused,
    settingsChanged,
  };
}

function interruptedMove(): SimwardenError {
  return new SimwardenError(
    'ILLEGAL_TRANSITION',
    { what: 'SIM', from: 'MOVING', action: 'registered', allowed: 'sending its moveSim again' },
    ['iccid'],
  );
}

/** The row behind a name that the directory has given out already. */
export async function ensureClient(tx: Transaction, by: { readonly clock: Clock }, clientId: number, name: string): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO client (client_id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING RETURNING client_id`,
    [clientId, name, by.clock.now()],
  );
  return rows.length > 0;
}

async function lockSims(tx: Transaction, clientId: number, simIds: readonly string[]): Promise<Map<string, KnownSim>> {
  const rows = await tx.query<KnownSim>(
    `SELECT sim_id, imsi, msisdn, fleet_id, closed_at FROM sim
      WHERE client_id = $1 AND sim_id = ANY($2::int8[]) ORDER BY sim_id FOR UPDATE`,
    [clientId, simIds],
  );
  return new Map(rows.map((row) => [row.sim_id, row]));
}

function fleetOf(sim: ClaimedSim, fleets: ReadonlyMap<string, string>): string | null {
  return sim.wanted.fleet === null ? null : fleets.get(sim.wanted.fleet)!;
}

async function insertSims(
  tx: Transaction,
  by: By,
  clientId: number,
  sims: readonly ClaimedSim[],
  fleets: ReadonlyMap<string, string>,
): Promise<Set<string>> {
  if (sims.length === 0) return new Set();
  const rows = await tx.query<{ sim_id: string }>(
    `INSERT INTO sim (client_id, sim_id, iccid, imsi, msisdn, fleet_id, created_at, updated_at)
     SELECT $1::int4, sim_id, iccid, imsi, msisdn, fleet_id, $7::timestamptz, $7::timestamptz
       FROM unnest($2::int8[], $3::text[], $4::text[], $5::text[], $6::uuid[]) AS wanted (sim_id, iccid, imsi, msisdn, fleet_id)
     ON CONFLICT DO NOTHING RETURNING sim_id`,
    [
      clientId,
      sims.map((sim) => sim.simId),
      sims.map((sim) => sim.wanted.iccid),
      sims.map((sim) => sim.wanted.imsi),
      sims.map((sim) => sim.wanted.msisdn),
      sims.map((sim) => fleetOf(sim, fleets)),
      by.clock.now(),
    ],
  );
  const inserted = new Set(rows.map((row) => row.sim_id));
  const placed = sims.filter((sim) => inserted.has(sim.simId)).map((sim) => ({ simId: sim.simId, fleetId: fleetOf(sim, fleets) }));
  await placeInFleets(tx, clientId, placed, SINCE_EVER);
  return inserted;
}

/** Notes in which fleet SIMs are from `from` on. */
export async function placeInFleets(
  tx: Transaction,
  clientId: number,
  sims: readonly { readonly simId: string; readonly fleetId: string | null }[],
  from: Date,
): Promise<void> {
  if (sims.length === 0) return;
  await tx.query(
    `INSERT INTO sim_fleet (client_id, sim_id, valid_from, fleet_id)
     SELECT $1::int4, sim_id, $4::timestamptz, fleet_id FROM unnest($2::int8[], $3::uuid[]) AS placed (sim_id, fleet_id)
     ON CONFLICT (client_id, sim_id, valid_from) DO UPDATE SET fleet_id = EXCLUDED.fleet_id RETURNING sim_id`,
    [clientId, sims.map((sim) => sim.simId), sims.map((sim) => sim.fleetId), from],
  );
}

async function updateSims(
  tx: Transaction,
  by: By,
  clientId: number,
  sims: readonly ClaimedSim[],
  known: ReadonlyMap<string, KnownSim>,
  fleets: ReadonlyMap<string, string>,
): Promise<{ sims: Set<string>; fleets: Set<string> }> {
  const now = by.clock.now();
  const changes = sims
    .map((sim) => {
      const before = known.get(sim.simId)!;
      const after = {
        imsi: sim.wanted.imsi ?? before.imsi,
        msisdn: sim.wanted.msisdn ?? before.msisdn,
        fleetId: fleetOf(sim, fleets) ?? before.fleet_id,
      };
      return { simId: sim.simId, before, ...after };
    })
    .filter(({ before, ...after }) => after.imsi !== before.imsi || after.msisdn !== before.msisdn || after.fleetId !== before.fleet_id);
  if (changes.length === 0) return { sims: new Set(), fleets: new Set() };
  await tx.query(
    `UPDATE sim SET imsi = changed.imsi, msisdn = changed.msisdn, fleet_id = changed.fleet_id, updated_at = $6
       FROM unnest($2::int8[], $3::text[], $4::text[], $5::uuid[]) AS changed (sim_id, imsi, msisdn, fleet_id)
      WHERE sim.client_id = $1 AND sim.sim_id = changed.sim_id RETURNING sim.sim_id`,
    [
      clientId,
      changes.map((sim) => sim.simId),
      changes.map((sim) => sim.imsi),
      changes.map((sim) => sim.msisdn),
      changes.map((sim) => sim.fleetId),
      now,
    ],
  );
  const newImsi = changes.filter((sim) => sim.before.imsi !== null && sim.imsi !== sim.before.imsi);
  await release(
    tx,
    'IMSI',
    newImsi.map((sim) => ({ value: sim.before.imsi!, clientId, simId: sim.simId })),
    now,
  );
  const newFleet = changes.filter((sim) => sim.fleetId !== sim.before.fleet_id);
  await placeInFleets(tx, clientId, newFleet, now);
  return { sims: new Set(changes.map((sim) => sim.simId)), fleets: new Set(newFleet.map((sim) => sim.simId)) };
}
