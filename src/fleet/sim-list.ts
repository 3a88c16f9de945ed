/** Lists of SIMs: filters, orders and keyset pages that stay flat as fleets grow. */
import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { emptyPage, maySee, readScope, RowFilter } from '../access';
import { Role, type Caller } from '../graphql/caller';
import { decodeCursor, pageOf, type Connection, type CursorValue, type PageArgs } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { SafeTextScalar } from '../graphql/scalars';
import { normaliseIccid } from './identifiers';
import { Sim, SIM_COLUMNS, type SimColumns } from './sim';
import { BlockState, Criticality, SimLifecycle } from './states';

@InputType({ description: 'Which SIMs to show; all conditions hold at once.' })
export class SimFilter {
  @Field(() => ID, { nullable: true, description: 'Only SIMs of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only SIMs that are in this fleet now.' })
  fleet?: string | null;
  @Field(() => [SimLifecycle], { nullable: true, description: 'Only SIMs in one of these lifecycle states.' })
  lifecycle?: SimLifecycle[] | null;
  @Field(() => [BlockState], { nullable: true, description: 'Only SIMs in one of these block states.' })
  blockState?: BlockState[] | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only SIMs whose device is of this model family.' })
  family?: string | null;
  @Field(() => Criticality, { nullable: true, description: 'Only SIMs whose device is of this criticality.' })
  criticality?: Criticality | null;
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Only SIMs whose ICCID, IMSI or MSISDN begins with these digits (embed tokens: ICCID).',
  })
  search?: string | null;
  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'True: SIMs that were moved to another client, instead of those that are here; default false.',
  })
  closed?: boolean | null;
}

export enum SimOrderField {
  CREATED_AT = 'CREATED_AT',
  ICCID = 'ICCID',
}
registerEnumType(SimOrderField, {
  name: 'SimOrderField',
  description: 'What SIMs are sorted by.',
  valuesConfig: { CREATED_AT: { description: 'When the SIM was registered.' }, ICCID: { description: "The SIM's number." } },
});

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which end comes first.',
  valuesConfig: { ASC: { description: 'Smallest, earliest first.' }, DESC: { description: 'Largest, latest first.' } },
});

@InputType({ description: 'How to sort SIMs.' })
export class SimOrder {
  @Field(() => SimOrderField, { description: 'What to sort by.' })
  field: SimOrderField;
  @Field(() => OrderDirection, { defaultValue: OrderDirection.DESC, description: 'Which end comes first; default DESC.' })
  direction: OrderDirection;
}

export const NEWEST_FIRST: SimOrder = { field: SimOrderField.CREATED_AT, direction: OrderDirection.DESC };

const sortKeys = {
  CREATED_AT: { column: 's.created_at', cast: 'timestamptz', kind: 'instant', of: (row: SimColumns) => row.created_at.toISOString() },
  ICCID: { column: 's.iccid', cast: 'text', kind: 'text', of: (row: SimColumns) => row.iccid },
} as const;

export async function listSims(context: GraphqlContext, filter: SimFilter, order: SimOrder, page: PageArgs): Promise<Connection<Sim>> {
  const all = simConditions(context.caller, filter);
  const counted = simConditions(context.caller, filter);
  if (all === null || counted === null) return emptyPage(page);
  const key = sortKeys[order.field];
  if (page.after) {
    const after: CursorValue[] = decodeCursor(page.after, [key.kind, 'int8']);
    all.and(`(${key.column}, s.sim_id) ${order.direction === OrderDirection.DESC ? '<' : '>'} (?::${key.cast}, ?::int8)`, ...after);
  }
  const rows = await context.read((tx) =>
    tx.query<SimColumns>(
      `SELECT ${SIM_COLUMNS} FROM sim s ${all.where}
      ORDER BY ${key.column} ${order.direction}, s.sim_id ${order.direction} LIMIT ${page.first + 1}`,
      all.parameters,
    ),
  );
  return pageOf(
    rows,
    page,
    (row) => [key.of(row), row.sim_id],
    (row) => Sim.of(row),
    async () => {
      const [total] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM sim s ${counted.where}`, counted.parameters),
      );
      return total!.count;
    },
  );
}

/** null: the filter names what is not the caller's to see, so nothing fits. */
function simConditions(caller: Caller, given: SimFilter): RowFilter | null {
  const scope = readScope(caller, given.client);
  if (scope === null) return null;
  const filter = new RowFilter();
  if (scope.clientId !== null) filter.and('s.client_id = ?', scope.clientId);
  if (given.fleet) {
    const fleet = requireGlobalId(given.fleet, 'Fleet');
    if (!maySee(caller, fleet)) return null;
    filter.and('s.client_id = ? AND s.fleet_id = ?::uuid', fleet.clientId, fleet.key);
  }
  if (caller.fleetIds) filter.and('s.fleet_id = ANY(?::uuid[])', caller.fleetIds);
  filter.and(given.closed ? 's.closed_at IS NOT NULL' : 's.closed_at IS NULL');
  if (given.lifecycle) filter.and('s.lifecycle = ANY(?::text[])', given.lifecycle);
  if (given.blockState) filter.and('s.block_state = ANY(?::text[])', given.blockState);
  addDeviceConditions(filter, given);
  if (given.search) addSearch(filter, given.search, caller.role !== Role.EMBED);
  return filter;
}

function addDeviceConditions(filter: RowFilter, { family, criticality }: SimFilter): void {
  if (!family && !criticality) return;
  const device = ['d.client_id = s.client_id', 'd.sim_id = s.sim_id'];
  if (family) device.push(`d.family = ${filter.parameter(family)}`);
  if (criticality) device.push(`d.criticality = ${filter.parameter(criticality)}`);
  filter.and(`EXISTS (SELECT 1 FROM device d WHERE ${device.join(' AND ')})`);
}

/** Prefixes as ranges, which every index serves whatever the collation. A whole ICCID meets its other spelling. */
function addSearch(filter: RowFilter, text: string, withSubscriber: boolean): void {
  const digits = text.replace(/[ \-+]/g, '');
  if (!/^\d{1,20}$/.test(digits)) {
    filter.and('false');
    return;
  }
  const columns = withSubscriber ? ['iccid', 'imsi', 'msisdn'] : ['iccid'];
  const ranges = columns.map((column) => {
    const prefix = column === 'iccid' ? (normaliseIccid(digits) ?? digits) : digits;
    const next = prefixAfter(prefix);
    return `(s.${column} >= ${filter.parameter(prefix)}${next === null ? '' : ` AND s.${column} < ${filter.parameter(next)}`})`;
  });
  filter.and(`(${ranges.join(' OR ')})`);
}

/** The first digits that sort after everything that begins with `prefix`; null after 99…9. */
function prefixAfter(prefix: string): string | null {
  const kept = prefix.replace(/9+$/, '');
  return kept === '' ? null : kept.slice(0, -1) + String(Number(kept.at(-1)) + 1);
}
