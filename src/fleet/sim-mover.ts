/** Moves a SIM to another client: the old one is closed with its history, a new one begins, and the directory says from when. */
import { injectAll, singleton, type InjectionToken } from 'tsyringe';
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { requireClient } from './client';
import { lookup, reassign } from './directory';
import { normaliseIccid } from './identifiers';
import { SimMoveListener, SimRegistrationListener } from './ports';
import { bindImeis, insertDevices, UNKNOWN_FAMILY, type NewBinding } from './registration-devices';
import { newSimIds } from './registration-claims';
import { placeInFleets } from './registration-store';
import { findSim, Sim } from './sim';
import { lockOpenSim, simNotFound } from './sim-changes';
import { BlockState, Criticality } from './states';

export interface MoveOrder {
  readonly clientId: number;
  readonly simId: string;
  readonly toClientId: number;
  /** From when the SIM belongs to the new client; at most now. Records of before stay with, or go to, the old one. */
  readonly at: Date;
  /** Takes the device's family, criticality and bound IMEIs along; else the SIM begins as a blank one. */
  readonly keepDevice: boolean;
}

/** What goes along; nothing in it tells the new client of the old one. */
interface Luggage {
  readonly order: MoveOrder;
  readonly newSimId: string;
  readonly sim: Sim;
  readonly blocked: boolean;
  readonly family: string;
  readonly criticality: Criticality;
  readonly bindings: readonly Omit<NewBinding, 'simId'>[];
}

/** States in which nothing is under way: the SIM can change hands. */
const SETTLED: readonly BlockState[] = [BlockState.UNBLOCKED, BlockState.BLOCKED, BlockState.BLOCK_FAILED];

@singleton()
export class SimMover {
  constructor(
    @injectAll(SimMoveListener as unknown as InjectionToken<SimMoveListener>) private readonly listeners: SimMoveListener[],
    private readonly registrations: SimRegistrationListener,
  ) {}

  /**
   * Two transactions, one per client; the first also turns the directory over. Killed between them, the same order completes the move: it finds
   * the SIM closed and the directory pointing to the new one.
   *
   * A blocked SIM stays blocked under its new client, since the network still rejects it; who blocked it and why stays with the old one.
   * While the network is still to answer, a SIM can't be moved: its new client would be told a state that nobody knows.
   */
  async move(context: GraphqlContext, order: MoveOrder): Promise<{ sim: Sim; closedSim: Sim }> {
    requireOrder(order, context.clock.now());
    await context.read((tx) => requireClient(tx, order.toClientId));
    const luggage = await context.write('fleet.closeMoved', order.clientId, (tx) => this.close(tx, context, order));
    const sim = await context.write('fleet.openMoved', order.toClientId, (tx) => open(tx, context, luggage));
    await this.registrations.simsRegistered([{ clientId: sim.clientId, simId: sim.simId, iccid: normaliseIccid(sim.iccid)! }]);
    return { sim, closedSim: luggage.sim };
  }

  private async close(tx: Transaction, context: GraphqlContext, order: MoveOrder): Promise<Luggage> {
    const { clientId, simId, toClientId, at } = order;
    const begun = await begunMove(tx, order);
    if (begun) return begun;
    const sim = await lockOpenSim(tx, clientId, simId);
    const { name, person } = context.caller;
    for (const listener of this.listeners) await listener.simMoved(tx, { clientId, simId, at, by: { name, person } });
    const settled = (await findSim(tx, clientId, simId))!;
    if (!SETTLED.includes(settled.blockState)) {
      throw new SimwardenError(
        'ILLEGAL_TRANSITION',
        { what: 'SIM', from: settled.blockState, action: 'moved', allowed: 'moving it once the network has answered' },
        ['sim'],
      );
    }
    const [newSimId] = (await newSimIds(tx, 1)) as [string];
    await reassign(tx, { clientId, simId }, { clientId: toClientId, simId: newSimId }, identifiersOf(sim), at);
    await tx.query(`UPDATE sim SET closed_at = $3, updated_at = $4 WHERE client_id = $1 AND sim_id = $2`, [
      clientId,
      simId,
      at,
      context.clock.now(),
    ]);
    await recordAudit(tx, context, { clientId, action: 'moveSim', subject: `Sim:${simId}`, detail: { direction: 'AWAY', at } });
    return pack(tx, order, newSimId);
  }
}

/** A move to the same client that was interrupted, or is asked for again. */
async function begunMove(tx: Transaction, order: MoveOrder): Promise<Luggage | null> {
  const sim = await findSim(tx, order.clientId, order.simId);
  if (!sim) throw simNotFound();
  if (sim.closedAt === null) return null;
  const entries = await lookup(tx, 'ICCID', [normaliseIccid(sim.iccid)!]);
  const next = entries.find((entry) => entry.validFrom.getTime() === sim.closedAt!.getTime() && entry.clientId === order.toClientId);
  return next ? pack(tx, { ...order, at: sim.closedAt }, next.simId!) : null;
}

async function pack(tx: Transaction, order: MoveOrder, newSimId: string): Promise<Luggage> {
  const sim = (await findSim(tx, order.clientId, order.simId))!;
  const [device] = await tx.query<{ family: string; criticality: Criticality }>(
    'SELECT family, criticality FROM device WHERE client_id = $1 AND sim_id = $2',
    [order.clientId, order.simId],
  );
  const bindings = await tx.query<{ imei: string; imei14: string }>(
    'SELECT imei, imei14 FROM imei_binding WHERE client_id = $1 AND sim_id = $2 ORDER BY imei14',
    [order.clientId, order.simId],
  );
  const kept = order.keepDevice && device ? device : { family: UNKNOWN_FAMILY, criticality: Criticality.NORMAL };
  return { order, newSimId, sim, blocked: sim.blockState === BlockState.BLOCKED, ...kept, bindings: order.keepDevice ? bindings : [] };
}

async function open(tx: Transaction, context: GraphqlContext, luggage: Luggage): Promise<Sim> {
  const {
    order: { toClientId: clientId, at },
    newSimId: simId,
    sim,
    blocked,
  } = luggage;
  const now = context.clock.now();
  const opened = await tx.query(
    `INSERT INTO sim (client_id, sim_id, iccid, imsi, msisdn, lifecycle, created_at, updated_at, block_state, block_mode, block_reason, block_actor, block_changed_at, block_sequence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING RETURNING sim_id`,
    [
      clientId,
      simId,
      sim.iccid,
      sim.imsi,
      sim.msisdn,
      sim.lifecycle,
      now,
      blocked ? BlockState.BLOCKED : BlockState.UNBLOCKED,
      blocked ? sim.blockMode : null,
      blocked ? 'It was blocked when it was moved here.' : null,
      blocked ? 'operator' : null,
      blocked ? at : null,
      blocked ? 1 : 0,
    ],
  );
  if (opened.length > 0) {
    await placeInFleets(tx, clientId, [{ simId, fleetId: null }], at);
    await insertDevices(tx, context, clientId, [{ simId, family: luggage.family, criticality: luggage.criticality }]);
    await bindImeis(
      tx,
      { clock: context.clock, name: context.caller.name },
      clientId,
      luggage.bindings.map((binding) => ({ simId, ...binding })),
    );
    await recordAudit(tx, context, { clientId, action: 'moveSim', subject: `Sim:${simId}`, detail: { direction: 'HERE', at, blocked } });
  }
  return (await findSim(tx, clientId, simId))!;
}

function identifiersOf(sim: Sim): { kind: 'ICCID' | 'IMSI'; value: string }[] {
  const iccid = { kind: 'ICCID' as const, value: normaliseIccid(sim.iccid)! };
  return sim.imsi === null ? [iccid] : [iccid, { kind: 'IMSI' as const, value: sim.imsi }];
}

function requireOrder(order: MoveOrder, now: Date): void {
  if (order.toClientId === order.clientId)
    throw new SimwardenError('BAD_USER_INPUT', { what: 'The SIM belongs to that client already.' }, ['client']);
  if (order.at > now)
    throw new SimwardenError(
      'BAD_USER_INPUT',
      { what: `at ${order.at.toISOString()} is in the future; a SIM is moved now, or as of a past moment.` },
      ['at'],
    );
}
