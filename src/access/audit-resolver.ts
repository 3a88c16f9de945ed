/** The audit log over GraphQL. */
import { Arg, Args, Ctx, Field, ID, InputType, ObjectType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node, registerNode } from '../graphql/nodes';
import { DateTimeScalar, JsonScalar, SafeTextScalar } from '../graphql/scalars';
import { mayUse } from './authorise';
import { readScope } from './client-scope';
import { emptyPage } from './empty-page';
import { RowFilter } from './row-filter';

@ObjectType('AuditEntry', { implements: Node, description: 'One change, as it was recorded with it; never altered, never deleted.' })
export class AuditRecord extends Node {
  @Field(() => DateTimeScalar, { description: 'When.' })
  at: Date;
  @Field(() => String, { description: 'Name of the credential that did it.' })
  principal: string;
  @Field(() => String, { description: 'The person answerable for the credential.' })
  person: string;
  @Field(() => String, { description: 'What was done, named as the mutation: `bindImei`.' })
  action: string;
  @Field(() => String, { description: 'What it was done to, as type and key: `Sim:42`.' })
  subject: string;
  @Field(() => JsonScalar, { description: 'The change in plain values; never a secret.' })
  detail: unknown;
  /** 0 for the operator's own. */
  clientId: number;

  static of(row: AuditRow): AuditRecord {
    return Object.assign(new AuditRecord(), { ...row, id: toGlobalId('AuditEntry', row.client_id, row.audit_id), clientId: row.client_id });
  }
}

interface AuditRow {
  client_id: number;
  audit_id: string;
  at: Date;
  principal: string;
  person: string;
  action: string;
  subject: string;
  detail: unknown;
}

const COLUMNS = 'client_id, audit_id, at, principal, person, action, subject, detail';

@ObjectType('AuditEntryConnection', { description: 'A page of the audit log.' })
export class AuditConnection extends connectionOf(AuditRecord, 'AuditEntry') {}

@InputType({ description: 'Which changes to show; all conditions hold at once.' })
export class AuditLogFilter {
  @Field(() => ID, { nullable: true, description: 'Only changes of this client. Operators who leave it out see all.' })
  client?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only this action, such as `bindImei`.' })
  action?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only changes of this subject, such as `Sim:42`.' })
  subject?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only changes that this person answers for.' })
  person?: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only changes at or after this time.' })
  from?: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only changes before this time.' })
  to?: Date | null;
}

@singleton()
@Resolver()
export class AuditResolver {
  @Query(() => AuditConnection, { description: 'What was changed, by whom, newest first.' })
  async auditLog(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AuditLogFilter, { nullable: true, description: 'Which changes to show.' }) filter?: AuditLogFilter | null,
  ): Promise<Connection<AuditRecord>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = conditions(scope.clientId, filter ?? {});
    if (page.after) shown.and('(at, audit_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<AuditRow>(
        `SELECT ${COLUMNS} FROM audit_log ${shown.where} ORDER BY at DESC, audit_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    const count = async () => {
      const all = conditions(scope.clientId, filter ?? {});
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM audit_log ${all.where}`, all.parameters),
      );
      return counted!.count;
    };
    return pageOf(
      rows,
      page,
      (row) => [row.at.toISOString(), row.audit_id],
      (row) => AuditRecord.of(row),
      count,
    );
  }
}

function conditions(clientId: number | null, { action, subject, person, from, to }: AuditLogFilter): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (action) filter.and('action = ?', action);
  if (subject) filter.and('subject = ?', subject);
  if (person) filter.and('person = ?', person);
  if (from) filter.and('at >= ?', from);
  if (to) filter.and('at < ?', to);
  return filter;
}

registerNode('AuditEntry', 'uuid', async (context, clientId, auditId) => {
  if (!mayUse('Query.auditLog', context.caller.role)) return null;
  const [row] = await context.read((tx) =>
    tx.query<AuditRow>(`SELECT ${COLUMNS} FROM audit_log WHERE client_id = $1 AND audit_id = $2`, [clientId, auditId]),
  );
  return row ? AuditRecord.of(row) : null;
});
