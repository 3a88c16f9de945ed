/** Quarantine over GraphQL: what could not be stored and why, and storing what was only held for its SIM. */
import { ArrayMaxSize } from 'class-validator';
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, mayUse, readScope, recordAudit, RowFilter, writeScope } from '../access';
import { Client, clientLoader, normaliseIccid } from '../fleet';
import { isOperator } from '../graphql/caller';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { toGlobalId } from '../graphql/global-id';
import { Node, registerNode } from '../graphql/nodes';
import { DateTimeScalar, IccidScalar, JsonScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { ImportKind } from './import-kind';
import { QuarantineRequeuer } from './quarantine-requeuer';

export enum QuarantineState {
  HELD = 'HELD',
  REQUEUED = 'REQUEUED',
}
registerEnumType(QuarantineState, {
  name: 'QuarantineState',
  description: 'Whether a quarantined row still waits.',
  valuesConfig: {
    HELD: {
      description:
        'Not stored. With code UNKNOWN_SIM it is stored by itself once its SIM is registered; otherwise mend it and send it again.',
    },
    REQUEUED: { description: 'Settled: stored after its SIM was registered, or quarantined again under another code.' },
  },
});

interface QuarantineRow {
  client_id: number;
  quarantine_id: string;
  source: string;
  kind: ImportKind;
  code: string;
  message: string;
  batch_key: string;
  line: string;
  record: Record<string, string>;
  iccid: string | null;
  state: QuarantineState;
  received_at: Date;
  resolved_at: Date | null;
}
const COLUMNS = 'client_id, quarantine_id, source, kind, code, message, batch_key, line, record, iccid, state, received_at, resolved_at';

@ObjectType({ implements: Node, description: 'A row that could not be stored, kept 30 days. The same bad row sent again is one row here.' })
export class QuarantinedRecord extends Node {
  @Field(() => String, { description: 'Source that delivered it first.' })
  source: string;
  @Field(() => ImportKind, { description: 'What kind of row it is.' })
  kind: ImportKind;
  @Field(() => String, { description: 'Why it was not stored: a code of the error catalogue.' })
  code: string;
  @Field(() => String, { description: 'What happened, what was given, what to do.' })
  message: string;
  @Field(() => String, { description: 'Batch that it came in first.' })
  batchId: string;
  @Field(() => Int, { description: 'Its line in that batch, from 1; the header of a CSV is line 1.' })
  line: number;
  @Field(() => JsonScalar, { description: 'The row as it was given, column → text.' })
  record: Record<string, string>;
  @Field(() => QuarantineState, { description: 'Whether it still waits.' })
  state: QuarantineState;
  @Field(() => DateTimeScalar, { description: 'When it arrived.' })
  receivedAt: Date;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was settled; null: it is held.' })
  resolvedAt: Date | null;
  clientId: number;

  static of(row: QuarantineRow): QuarantinedRecord {
    return Object.assign(new QuarantinedRecord(), {
      id: toGlobalId('QuarantinedRecord', row.client_id, row.quarantine_id),
      clientId: row.client_id,
      source: row.source,
      kind: row.kind,
      code: row.code,
      message: row.message,
      batchId: row.batch_key,
      line: Number(row.line),
      record: row.record,
      state: row.state,
      receivedAt: row.received_at,
      resolvedAt: row.resolved_at,
    });
  }
}

@ObjectType({ description: 'A page of quarantined rows.' })
export class QuarantinedRecordConnection extends connectionOf(QuarantinedRecord, 'QuarantinedRecord') {}

@InputType({ description: 'Which quarantined rows to show; all conditions hold at once.' })
export class QuarantineFilter {
  @Field(() => ID, {
    nullable: true,
    description: 'Only rows of this client. Operators who leave it out see all, rows of unknown SIMs included.',
  })
  client?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only rows of this source.' })
  source?: string | null;
  @Field(() => ImportKind, { nullable: true, description: 'Only rows of this kind.' })
  kind?: ImportKind | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only rows with this code, such as UNKNOWN_SIM.' })
  code?: string | null;
  @Field(() => QuarantineState, { nullable: true, description: 'Only rows in this state.' })
  state?: QuarantineState | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Only rows that came first in this batch.' })
  batchId?: string | null;
}

@InputType({ description: 'Which held rows to store.' })
export class RequeueQuarantineInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The client whose quarantine is meant. Operators who leave it out mean their own, where rows of unknown SIMs are.',
  })
  client?: string | null;
  @Field(() => [IccidScalar], { description: 'ICCIDs of the SIMs, at most 1,000.' })
  @ArrayMaxSize(1000)
  iccids: string[];
}

@ObjectType({ description: 'What was done with the held rows.' })
export class RequeueQuarantinePayload {
  @Field(() => Int, { description: 'How many rows were settled. Rows whose SIM is still unknown stay held.' })
  requeued: number;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where it was done.' })
  userErrors: UserError[];
}

@singleton()
@Resolver(() => QuarantinedRecord)
export class QuarantineResolver {
  constructor(private readonly requeuer: QuarantineRequeuer) {}

  @Query(() => QuarantinedRecordConnection, { description: 'Rows that could not be stored, latest first.' })
  async quarantine(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => QuarantineFilter, { nullable: true, description: 'Which rows to show.' }) filter?: QuarantineFilter | null,
  ): Promise<Connection<QuarantinedRecord>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = conditions(scope.clientId, filter ?? {});
    if (page.after) shown.and('quarantine_id < ?::uuid', ...decodeCursor(page.after, ['uuid']));
    const rows = await context.read((tx) =>
      tx.query<QuarantineRow>(
        `SELECT ${COLUMNS} FROM quarantine ${shown.where} ORDER BY quarantine_id DESC LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    const count = async (): Promise<number> => {
      const all = conditions(scope.clientId, filter ?? {});
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM quarantine ${all.where}`, all.parameters),
      );
      return counted!.count;
    };
    return pageOf(
      rows,
      page,
      (row) => [row.quarantine_id],
      (row) => QuarantinedRecord.of(row),
      count,
    );
  }

  @Mutation(() => RequeueQuarantinePayload, {
    description: 'Stores the rows that were held for these SIMs, where the SIMs are registered now. Registering a SIM does this by itself.',
  })
  async requeueQuarantine(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => RequeueQuarantineInput, { description: 'Which rows.' }) input: RequeueQuarantineInput,
  ): Promise<RequeueQuarantinePayload> {
    return withUserErrors(
      async () => {
        const clientId = input.client || !isOperator(context.caller) ? writeScope(context.caller, input.client) : 0;
        const iccids = input.iccids.flatMap((iccid) => normaliseIccid(iccid) ?? []);
        // This transaction also ends the operation's reads: the records are stored in transactions of their own.
        await context.write('telemetry.requeueQuarantine', clientId, (tx) =>
          recordAudit(tx, context, {
            clientId,
            action: 'requeueQuarantine',
            subject: `Client:${clientId}`,
            detail: { iccids: iccids.length },
          }),
        );
        return { requeued: await this.requeuer.requeue([clientId], iccids), userErrors: [] };
      },
      (userErrors) => ({ requeued: 0, userErrors }),
    );
  }

  @FieldResolver(() => Client, { nullable: true, description: "The client whose row it is; null: the operator's own." })
  client(@Root() record: QuarantinedRecord, @Ctx() context: GraphqlContext): Promise<Client | null> | null {
    return record.clientId === 0 ? null : context.load(clientLoader, `${record.clientId}:${record.clientId}`);
  }
}

function conditions(clientId: number | null, { source, kind, code, state, batchId }: QuarantineFilter): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (source) filter.and('source = ?', source);
  if (kind) filter.and('kind = ?', kind);
  if (code) filter.and('code = ?', code);
  if (state) filter.and('state = ?', state);
  if (batchId) filter.and('batch_key = ?', batchId);
  return filter;
}

registerNode('QuarantinedRecord', 'uuid', async (context, clientId, quarantineId) => {
  if (!mayUse('Query.quarantine', context.caller.role)) return null;
  const [row] = await context.read((tx) =>
    tx.query<QuarantineRow>(`SELECT ${COLUMNS} FROM quarantine WHERE client_id = $1 AND quarantine_id = $2`, [clientId, quarantineId]),
  );
  return row ? QuarantinedRecord.of(row) : null;
});
