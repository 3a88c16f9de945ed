/** Changes of one SIM by the people who own it: lifecycle, fleet, device, bindings. Each runs in the caller's transaction. */
import { singleton } from 'tsyringe';
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { normaliseImei } from './identifiers';
import { SettingChangeListener } from './ports';
import { bindImeis } from './registration-devices';
import { requireName } from './registration-rows';
import { placeInFleets } from './registration-store';
import { Sim, SIM_COLUMNS, type SimColumns } from './sim';
import { requireLifecycleTransition, type Criticality, type SimLifecycle } from './states';

export interface SimChange {
  /** undefined: as it is. */
  readonly lifecycle?: SimLifecycle;
  /** null: out of any fleet; undefined: as it is. */
  readonly fleetId?: string | null;
  /** Of the device: null takes the name away, undefined leaves it. */
  readonly deviceName?: string | null;
  readonly family?: string;
  readonly criticality?: Criticality;
}

type By = Pick<GraphqlContext, 'caller' | 'clock' | 'entropy'>;

@singleton()
export class SimChanges {
  constructor(private readonly settings: SettingChangeListener) {}

  async update(tx: Transaction, by: By, clientId: number, simId: string, change: SimChange): Promise<void> {
    const sim = await lockOpenSim(tx, clientId, simId, by.caller.fleetIds);
    const detail: Record<string, unknown> = {};
    if (change.lifecycle !== undefined && change.lifecycle !== sim.lifecycle) {
      requireLifecycleTransition(sim.lifecycle, change.lifecycle);
      await tx.query('UPDATE sim SET lifecycle = $3, updated_at = $4 WHERE client_id = $1 AND sim_id = $2', [
        clientId,
        simId,
        change.lifecycle,
        by.clock.now(),
      ]);
      detail['lifecycle'] = { from: sim.lifecycle, to: change.lifecycle };
    }
    if (change.fleetId !== undefined && change.fleetId !== sim.fleetId) {
      await this.moveToFleet(tx, by, sim, change.fleetId);
      detail['fleet'] = { from: sim.fleetId, to: change.fleetId };
    }
    Object.assign(detail, await this.changeDevice(tx, by, sim, change));
    if (Object.keys(detail).length === 0) return;
    if ('fleet' in detail || 'family' in detail || 'criticality' in detail) await this.settings.settingsChanged(tx, clientId, [simId]);
    await recordAudit(tx, by, { clientId, action: 'updateSim', subject: `Sim:${simId}`, detail });
  }

  /** Allows the SIM an IMEI; allowing it again changes nothing. */
  async bindImei(tx: Transaction, by: By, clientId: number, simId: string, imei: string): Promise<void> {
    const sim = await lockOpenSim(tx, clientId, simId, by.caller.fleetIds);
    const known = requireImei(imei);
    const bound = await bindImeis(tx, { clock: by.clock, name: by.caller.name }, clientId, [
      { simId: sim.simId, imei: known.imei, imei14: known.imei14 },
    ]);
    if (bound.size === 0) return;
    await this.settings.settingsChanged(tx, clientId, [simId]);
    await recordAudit(tx, by, { clientId, action: 'bindImei', subject: `Sim:${simId}`, detail: { imei: known.imei } });
  }

  /** Takes an IMEI away from a SIM; taking it again changes nothing. Without any, the SIM may sit anywhere. */
  async unbindImei(tx: Transaction, by: By, clientId: number, simId: string, imei: string): Promise<void> {
    const sim = await lockOpenSim(tx, clientId, simId, by.caller.fleetIds);
    const known = requireImei(imei);
    const unbound = await tx.query('DELETE FROM imei_binding WHERE client_id = $1 AND sim_id = $2 AND imei14 = $3 RETURNING imei14', [
      clientId,
      sim.simId,
      known.imei14,
    ]);
    if (unbound.length === 0) return;
    await this.settings.settingsChanged(tx, clientId, [simId]);
    await recordAudit(tx, by, { clientId, action: 'unbindImei', subject: `Sim:${simId}`, detail: { imei: known.imei } });
  }

  private async moveToFleet(tx: Transaction, by: By, sim: Sim, fleetId: string | null): Promise<void> {
    const { clientId, simId } = sim;
    if (fleetId !== null) await requireFleet(tx, clientId, fleetId);
    const now = by.clock.now();
    await tx.query('UPDATE sim SET fleet_id = $3, updated_at = $4 WHERE client_id = $1 AND sim_id = $2', [clientId, simId, fleetId, now]);
    await placeInFleets(tx, clientId, [{ simId, fleetId }], now);
  }

  private async changeDevice(tx: Transaction, by: By, { clientId, simId }: Sim, change: SimChange): Promise<Record<string, unknown>> {
    if (change.deviceName === undefined && change.family === undefined && change.criticality === undefined) return {};
    const [before] = await tx.query<{ name: string | null; family: string; criticality: Criticality }>(
      'SELECT name, family, criticality FROM device WHERE client_id = $1 AND sim_id = $2 FOR UPDATE',
      [clientId, simId],
    );
    if (!before) throw new Error(`SIM ${simId} of client ${clientId} has no device`);
    const after = {
      deviceName:
        change.deviceName === undefined
          ? before.name
          : change.deviceName === null
            ? null
            : requireName(change.deviceName, 'name', ['device', 'name']),
      family: change.family === undefined ? before.family : requireName(change.family, 'family', ['device', 'family']),
      criticality: change.criticality ?? before.criticality,
    };
    const changes = Object.entries({ deviceName: before.name, family: before.family, criticality: before.criticality }).flatMap(
      ([field, from]) =>
        after[field as keyof typeof after] === from ? [] : [[field, { from, to: after[field as keyof typeof after] }] as const],
    );
    if (changes.length === 0) return {};
    await tx.query('UPDATE device SET name = $3, family = $4, criticality = $5, updated_at = $6 WHERE client_id = $1 AND sim_id = $2', [
      clientId,
      simId,
      after.deviceName,
      after.family,
      after.criticality,
      by.clock.now(),
    ]);
    return Object.fromEntries(changes);
  }
}

/** Locks a SIM. Throws NOT_FOUND, or ILLEGAL_TRANSITION where it was moved to another client. */
export async function lockOpenSim(
  tx: Transaction,
  clientId: number,
  simId: string,
  fleetIds: readonly string[] | null = null,
): Promise<Sim> {
  const [row] = await tx.query<SimColumns>(`SELECT ${SIM_COLUMNS} FROM sim s WHERE s.client_id = $1 AND s.sim_id = $2 FOR UPDATE`, [
    clientId,
    simId,
  ]);
  if (!row || (fleetIds !== null && (row.fleet_id === null || !fleetIds.includes(row.fleet_id)))) throw simNotFound();
  if (row.closed_at !== null)
    throw new SimwardenError(
      'ILLEGAL_TRANSITION',
      { what: 'SIM', from: 'MOVED', action: 'changed', allowed: 'nothing, its present client may change it' },
      ['sim'],
    );
  return Sim.of(row);
}

export function simNotFound(): SimwardenError {
  return new SimwardenError('NOT_FOUND', { what: 'SIM' }, ['sim']);
}

async function requireFleet(tx: Transaction, clientId: number, fleetId: string): Promise<void> {
  const rows = await tx.query('SELECT fleet_id FROM fleet WHERE client_id = $1 AND fleet_id = $2', [clientId, fleetId]);
  if (rows.length === 0) throw new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['fleet']);
}

function requireImei(text: string): { imei: string; imei14: string } {
  const imei = normaliseImei(text);
  if (!imei) throw new SimwardenError('FIELD_INVALID', { column: 'imei', given: text.slice(0, 80), expected: '14 to 16 digits' }, ['imei']);
  return imei;
}
