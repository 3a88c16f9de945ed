/** One operator action on many alerts: named by ids or by a filter, tried first if wanted, with an answer per alert. */
import { injectAll, singleton, type InjectionToken } from 'tsyringe';
import { maySee, recordAudit, writeScope } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator, type Caller } from '../graphql/caller';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, toGlobalId } from '../graphql/global-id';
import { userError, type UserError } from '../graphql/user-error';
import { Alert } from './alert';
import { alertConditions, type AlertFilter } from './alert-filter';
import { AlertWriter, type Edited } from './apply';
import { lockAlerts } from './alert-storage';
import type { AlertRecord } from './alert-record';
import { alertLifecycle, AlertState } from './lifecycle';
import { takeAction, type OperatorAction } from './operator-actions';
import { AlertChangeListener } from './ports';

/** Most alerts that one call may change. */
export const ALERTS_PER_CALL = 1_000;

export interface AlertSelection {
  readonly ids?: readonly string[] | null;
  readonly filter?: AlertFilter | null;
  readonly dryRun: boolean;
}

export interface ActionResult {
  readonly id: string;
  readonly alert: Alert | null;
  readonly error: UserError | null;
}

export interface BulkOutcome {
  readonly results: ActionResult[];
  /** How many more the filter means. */
  readonly remaining: number;
}

@singleton()
export class BulkAction {
  constructor(
    private readonly writer: AlertWriter,
    @injectAll(AlertChangeListener as unknown as InjectionToken<AlertChangeListener>, { isOptional: true })
    private readonly listeners: AlertChangeListener[],
  ) {}

  async run(context: GraphqlContext, name: string, selection: AlertSelection, action: OperatorAction): Promise<BulkOutcome> {
    const { ids, filter } = selection;
    if (Boolean(ids) === Boolean(filter)) throw new SimwardenError('BAD_USER_INPUT', { what: 'Give either `ids` or `filter`.' }, ['ids']);
    if (ids && ids.length > ALERTS_PER_CALL)
      throw new SimwardenError('TOO_MANY_ITEMS', { given: ids.length, most: ALERTS_PER_CALL }, ['ids']);
    const clientId = ids ? clientOfIds(context.caller, ids) : clientOfFilter(context.caller, filter!);
    // Nothing named can be the caller's: each is answered as a missing one, without a look.
    if (clientId === null) return { results: (ids ?? []).map(missing), remaining: 0 };
    return context.write(`alerts.${action.step}`, clientId, async (tx) => {
      const chosen = ids
        ? { keys: keysOf(ids, clientId), remaining: 0 }
        : await choose(tx, context.caller, { ...filter!, client: filter!.client ?? toGlobalId('Client', clientId, clientId) }, action);
      const given = ids ?? chosen.keys.map((key) => toGlobalId('Alert', clientId, key));
      const locked = (await lockAlerts(tx, clientId, chosen.keys)).filter((record) => inFleets(context.caller, record));
      const { results, edited } = judge(given, clientId, new Map(locked.map((record) => [record.alertId, record])), context, action);
      if (!selection.dryRun) await this.carryOut(tx, context, name, clientId, action, edited);
      return { results: results.map((result) => result()), remaining: chosen.remaining };
    });
  }

  private async carryOut(
    tx: Transaction,
    context: GraphqlContext,
    name: string,
    clientId: number,
    action: OperatorAction,
    edited: readonly Edited[],
  ): Promise<void> {
    const now = context.clock.now();
    const changes = await this.writer.write(tx, clientId, edited, now);
    if (changes.length === 0) return;
    for (const listener of this.listeners) await listener.alertsChanged(tx, changes, now);
    for (const { alertId, fromState, toState } of changes) {
      await recordAudit(tx, context, { clientId, action: name, subject: `Alert:${alertId}`, detail: { ...action, fromState, toState } });
    }
  }
}

/** Works out what becomes of each; a dry run ends here. Results are made after the write, when sequences are known. */
function judge(
  ids: readonly string[],
  clientId: number,
  locked: ReadonlyMap<string, AlertRecord>,
  context: GraphqlContext,
  action: OperatorAction,
): { results: (() => ActionResult)[]; edited: Edited[] } {
  const edited = new Map<string, Edited>();
  const results = ids.map((id): (() => ActionResult) => {
    const key = keyOf(id);
    const before = key?.clientId === clientId ? locked.get(key.key) : undefined;
    if (!before) return () => missing(id);
    const known = edited.get(before.alertId);
    if (known) return () => ({ id, alert: Alert.of(known.record), error: null });
    const record = { ...before };
    try {
      takeAction(record, action, { name: context.caller.name, at: context.clock.now() });
    } catch (error) {
      if (!(error instanceof SimwardenError && error.mendable)) throw error;
      return () => ({ id, alert: Alert.of(before), error: userError(error) });
    }
    edited.set(record.alertId, { before, record });
    return () => ({ id, alert: Alert.of(record), error: null });
  });
  return { results, edited: [...edited.values()] };
}

/** The alerts that the filter means and that the action would move to another state, oldest first; a second call goes on with the rest. */
async function choose(
  tx: Transaction,
  caller: Caller,
  filter: AlertFilter,
  action: OperatorAction,
): Promise<{ keys: string[]; remaining: number }> {
  const where = alertConditions(caller, filter);
  if (where === null) return { keys: [], remaining: 0 };
  const states = Object.values(AlertState).filter((state) => (alertLifecycle[state][action.step] ?? state) !== state);
  where.and('state = ANY(?::text[])', states);
  const rows = await tx.query<{ alert_id: string; matched: number }>(
    `SELECT alert_id, (count(*) OVER ())::int4 AS matched FROM alert ${where.where} ORDER BY created_at, alert_id LIMIT ${ALERTS_PER_CALL}`,
    where.parameters,
  );
  return { keys: rows.map(({ alert_id }) => alert_id), remaining: (rows[0]?.matched ?? 0) - rows.length };
}

/** One call is for one client: the caller's, or for an operator the first id's. null: none of the ids can be the caller's. */
function clientOfIds(caller: Caller, ids: readonly string[]): number | null {
  const own = ids.map(keyOf).filter((id) => maySee(caller, id));
  const clientId = own[0]?.clientId ?? null;
  if (isOperator(caller) && own.some((id) => id.clientId !== clientId)) {
    throw new SimwardenError('BAD_USER_INPUT', { what: 'The ids are of several clients. Send one call per client.' }, ['ids']);
  }
  return clientId;
}

function clientOfFilter(caller: Caller, filter: AlertFilter): number {
  const named = [
    [filter.sim, 'Sim', 'int8'],
    [filter.fleet, 'Fleet', 'uuid'],
    [filter.incident, 'Incident', 'uuid'],
  ] as const;
  for (const [id, type, keyIs] of named) {
    const parsed = id && isOperator(caller) && !filter.client ? requireGlobalId(id, type, keyIs) : null;
    if (parsed) return parsed.clientId;
  }
  return writeScope(caller, filter.client);
}

function keyOf(id: string): ReturnType<typeof requireGlobalId> {
  return requireGlobalId(id, 'Alert');
}

function keysOf(ids: readonly string[], clientId: number): string[] {
  return [...new Set(ids.map(keyOf).flatMap((id) => (id?.clientId === clientId ? [id.key] : [])))];
}

function inFleets(caller: Caller, record: AlertRecord): boolean {
  return caller.fleetIds === null || (record.fleetId !== null && caller.fleetIds.includes(record.fleetId));
}

function missing(id: string): ActionResult {
  return { id, alert: null, error: userError(new SimwardenError('NOT_FOUND', { what: 'alert' })) };
}
