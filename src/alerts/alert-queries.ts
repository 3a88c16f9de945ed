/** Alerts over GraphQL: one, and lists of them. */
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee } from '../access';
import { OrderDirection } from '../fleet';
import { decodeCursor, PageArgs, pageOf, type Connection, type CursorValue } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { Alert, AlertConnection, AlertOccurrence, AlertOccurrenceConnection } from './alert';
import { alertConditions, AlertFilter, AlertOrder, AlertOrderField } from './alert-filter';
import { alertLoader, previousAlertLoader } from './alert-loaders';
import { selectAlertColumns, type AlertRecord, type AlertWindow } from './alert-record';
import { severities } from './severity';

interface Sorting {
  readonly expression: string;
  readonly cursor: readonly ('instant' | 'uuid' | 'number')[];
  /** The cursor's placeholders, in the order of the columns. */
  readonly bound: string;
  readonly cursorOf: (record: AlertRecord) => CursorValue[];
}

const severityRank = "array_position(ARRAY['INFO', 'WARNING', 'CRITICAL'], severity)";
const sortings: Readonly<Record<AlertOrderField, Sorting>> = {
  CREATED_AT: {
    expression: 'created_at, alert_id',
    cursor: ['instant', 'uuid'],
    bound: '?::timestamptz, ?::uuid',
    cursorOf: ({ createdAt, alertId }) => [createdAt.toISOString(), alertId],
  },
  LAST_WINDOW: {
    expression: 'last_window_start, alert_id',
    cursor: ['instant', 'uuid'],
    bound: '?::timestamptz, ?::uuid',
    cursorOf: ({ lastWindowStart, alertId }) => [lastWindowStart.toISOString(), alertId],
  },
  SEVERITY: {
    expression: `${severityRank}, created_at, alert_id`,
    cursor: ['number', 'instant', 'uuid'],
    bound: '?::int4, ?::timestamptz, ?::uuid',
    cursorOf: ({ severity, createdAt, alertId }) => [severities.indexOf(severity) + 1, createdAt.toISOString(), alertId],
  },
};

/** A page of alerts; the whole list of incidents, SIMs and the root field. */
export async function alertPage(
  context: GraphqlContext,
  filter: AlertFilter,
  page: PageArgs,
  order?: AlertOrder | null,
): Promise<Connection<Alert>> {
  const where = alertConditions(context.caller, filter);
  const all = alertConditions(context.caller, filter);
  if (where === null || all === null) return emptyPage(page);
  const sorting = sortings[order?.field ?? AlertOrderField.CREATED_AT];
  const direction = order?.direction ?? OrderDirection.DESC;
  if (page.after)
    where.and(
      `(${sorting.expression}) ${direction === OrderDirection.DESC ? '<' : '>'} (${sorting.bound})`,
      ...decodeCursor(page.after, sorting.cursor),
    );
  const sorted = sorting.expression
    .replace(severityRank, 'RANK')
    .split(', ')
    .map((column) => `${column === 'RANK' ? severityRank : column} ${direction}`)
    .join(', ');
  const rows = await context.read((tx) =>
    tx.query<AlertRecord>(
      `SELECT ${selectAlertColumns()} FROM alert ${where.where} ORDER BY ${sorted} LIMIT ${page.first + 1}`,
      where.parameters,
    ),
  );
  const count = async (): Promise<number> => {
    const [counted] = await context.read((tx) =>
      tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM alert ${all.where}`, all.parameters),
    );
    return counted!.count;
  };
  return pageOf(rows, page, sorting.cursorOf, (record) => Alert.of(record), count);
}

export async function findAlert(context: GraphqlContext, clientId: number, key: string): Promise<Alert | null> {
  const record = await context.load(alertLoader, `${clientId}:${key}`);
  return record ? Alert.of(record) : null;
}

@singleton()
@Resolver(() => Alert)
export class AlertQueries {
  @Query(() => Alert, { nullable: true, description: 'An alert by its id; null when there is none, or it is not yours to see.' })
  async alert(@Ctx() context: GraphqlContext, @Arg('id', () => ID, { description: 'Id of the alert.' }) id: string): Promise<Alert | null> {
    const parsed = requireGlobalId(id, 'Alert');
    return maySee(context.caller, parsed) ? findAlert(context, parsed.clientId, parsed.key) : null;
  }

  @Query(() => AlertConnection, { description: 'Alerts, latest raised first unless ordered otherwise.' })
  async alerts(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AlertFilter, { nullable: true, description: 'Which alerts; default: all that you may see.' })
    filter?: AlertFilter | null,
    @Arg('orderBy', () => AlertOrder, {
      nullable: true,
      description: 'How they are sorted; default: by CREATED_AT, DESC. A cursor belongs to its order.',
    })
    orderBy?: AlertOrder | null,
  ): Promise<Connection<Alert>> {
    return alertPage(context, filter ?? {}, page, orderBy);
  }

  @FieldResolver(() => AlertOccurrenceConnection, { description: 'The windows in which it fired, latest first.' })
  async occurrences(
    @Root() { record }: Alert,
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<AlertOccurrence>> {
    const { clientId, alertId, occurrenceCount } = record;
    const [before] = page.after ? decodeCursor(page.after, ['instant']) : [null];
    const rows = await context.read((tx) =>
      tx.query<AlertWindow>(
        `SELECT window_start AS "windowStart", window_end AS "windowEnd", severity, title, score, evidence FROM alert_occurrence
       WHERE client_id = $1 AND alert_id = $2 AND ($3::timestamptz IS NULL OR window_start < $3) ORDER BY window_start DESC LIMIT ${page.first + 1}`,
        [clientId, alertId, before],
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.windowStart.toISOString()],
      (row) => AlertOccurrence.of(row),
      () => Promise.resolve(occurrenceCount),
    );
  }

  @FieldResolver(() => Alert, {
    nullable: true,
    description: 'The alert of the same subject and kind before this one; null for the first.',
  })
  async previousAlert(@Root() { record }: Alert, @Ctx() context: GraphqlContext): Promise<Alert | null> {
    const previous = await context.load(previousAlertLoader, `${record.clientId}:${record.alertId}`);
    return previous ? Alert.of(previous) : null;
  }
}

registerNode('Alert', 'uuid', findAlert);
