/** policies, setThreshold, deleteThreshold over GraphQL; a change has the SIMs it concerns evaluated again. */
import { Arg, Args, Ctx, Field, FieldResolver, Float, ID, InputType, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, maySee, mayUse, readScope, recordAudit, RowFilter, writeScope } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { findClient, findFleet, findSim, Fleet, fleetLoader, SettingChangeListener, Sim, simLoader } from '../fleet';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { ByteCountScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import {
  Threshold,
  THRESHOLD_COLUMNS,
  ThresholdConnection,
  ThresholdMeasure,
  ThresholdPeriod,
  ThresholdSubject,
  type ThresholdRow,
} from './threshold';

@InputType({ description: 'A data limit to set; one that is there for the same subject, measure and period is replaced.' })
export class SetThresholdInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The client. Operators must give it for a limit of the whole client; others may leave it out.',
  })
  client?: string | null;
  @Field(() => ID, { nullable: true, description: 'Set it for this fleet. Not together with `sim`; without both, it is for the client.' })
  fleet?: string | null;
  @Field(() => ID, { nullable: true, description: 'Set it for this SIM.' })
  sim?: string | null;
  @Field(() => ThresholdMeasure, { description: 'Per SIM, or the total of the fleet or client.' })
  measure: ThresholdMeasure;
  @Field(() => ThresholdPeriod, { description: 'Day or billing cycle.' })
  period: ThresholdPeriod;
  @Field(() => ByteCountScalar, { description: 'The limit in bytes, at least 1.' })
  limitBytes: string;
  @Field(() => Float, { defaultValue: 80, description: 'Percent of the limit from which on it warns, 1 to 100; default 80.' })
  warnPercent: number;
  @Field(() => Float, { defaultValue: 90, description: 'Percent of the limit below which an alert clears, 1 to 100; default 90.' })
  clearPercent: number;
}

@ObjectType({ description: 'The limit that was set.' })
export class SetThresholdPayload {
  @Field(() => Threshold, { nullable: true, description: 'The limit; null where there are user errors.' })
  threshold: Threshold | null;
  @Field(() => [UserError], { description: 'What the caller can mend.' })
  userErrors: UserError[];
}

@InputType({ description: 'A data limit to remove.' })
export class DeleteThresholdInput {
  @Field(() => ID, { description: 'The limit.' })
  threshold: string;
}

@ObjectType({ description: 'The limit that was removed.' })
export class DeleteThresholdPayload {
  @Field(() => ID, { nullable: true, description: 'Its id; null where there are user errors.' })
  deletedId: string | null;
  @Field(() => [UserError], { description: 'What the caller can mend.' })
  userErrors: UserError[];
}

/** Whom a limit is for, and the SIMs it concerns. */
interface Target {
  readonly clientId: number;
  readonly subject: ThresholdSubject;
  readonly subjectId: string;
}

@singleton()
@Resolver(() => Threshold)
export class Policies {
  constructor(private readonly settings: SettingChangeListener) {}

  @Query(() => ThresholdConnection, { description: 'The data limits, those of clients first, then of fleets, then of SIMs.' })
  async policies(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('client', () => ID, { nullable: true, description: 'Only limits of this client. Operators who leave it out see all.' })
    client?: string | null,
  ): Promise<Connection<Threshold>> {
    const scope = readScope(context.caller, client);
    if (scope === null) return emptyPage(page);
    const all = (): RowFilter => (scope.clientId === null ? new RowFilter() : new RowFilter().and('client_id = ?', scope.clientId));
    const where = all();
    if (page.after) where.and('(subject, threshold_id) > (?::text, ?::uuid)', ...decodeCursor(page.after, ['text', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<ThresholdRow>(
        `SELECT ${THRESHOLD_COLUMNS} FROM threshold ${where.where} ORDER BY subject, threshold_id LIMIT ${page.first + 1}`,
        where.parameters,
      ),
    );
    const count = async (): Promise<number> => {
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM threshold ${all().where}`, all().parameters),
      );
      return counted!.count;
    };
    return pageOf(
      rows,
      page,
      ({ subject, thresholdId }) => [subject, thresholdId],
      (row) => Threshold.of(row),
      count,
    );
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM that it is set for; null for other subjects.' })
  async sim(@Root() { row }: Threshold, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return row.subject === ThresholdSubject.SIM ? context.load(simLoader, `${row.clientId}:${row.subjectId}`) : null;
  }

  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet that it is set for; null for other subjects.' })
  async fleet(@Root() { row }: Threshold, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return row.subject === ThresholdSubject.FLEET ? context.load(fleetLoader, `${row.clientId}:${row.subjectId}`) : null;
  }

  @Mutation(() => SetThresholdPayload, { description: 'Sets a data limit. The SIMs it concerns are evaluated again at once.' })
  async setThreshold(
    @Arg('input', () => SetThresholdInput, { description: 'The limit.' }) input: SetThresholdInput,
    @Ctx() context: GraphqlContext,
  ): Promise<SetThresholdPayload> {
    return withUserErrors<SetThresholdPayload>(
      async () => {
        const target = targetOf(context, input);
        requireBounds(input, target);
        const row = await context.write('alerts.setThreshold', target.clientId, async (tx) => {
          const simIds = await concerned(tx, target);
          const stored = await upsert(tx, context, target, input);
          const { subject, subjectId, measure, period, limitBytes, warnPercent, clearPercent } = stored;
          await recordAudit(tx, context, {
            clientId: target.clientId,
            action: 'setThreshold',
            subject: `Threshold:${stored.thresholdId}`,
            detail: { subject, subjectId, measure, period, limitBytes, warnPercent, clearPercent },
          });
          await this.settings.settingsChanged(tx, target.clientId, simIds);
          return stored;
        });
        return { threshold: Threshold.of(row), userErrors: [] };
      },
      (userErrors) => ({ threshold: null, userErrors }),
    );
  }

  @Mutation(() => DeleteThresholdPayload, {
    description: 'Removes a data limit; a less specific one, where there is one, counts from now on.',
  })
  async deleteThreshold(
    @Arg('input', () => DeleteThresholdInput, { description: 'The limit.' }) input: DeleteThresholdInput,
    @Ctx() context: GraphqlContext,
  ): Promise<DeleteThresholdPayload> {
    return withUserErrors<DeleteThresholdPayload>(
      async () => {
        const id = requireGlobalId(input.threshold, 'Threshold');
        const missing = (): SimwardenError => new SimwardenError('NOT_FOUND', { what: 'threshold' }, ['threshold']);
        if (!maySee(context.caller, id)) throw missing();
        await context.write('alerts.deleteThreshold', id.clientId, async (tx) => {
          const [row] = await tx.query<ThresholdRow>(
            `DELETE FROM threshold WHERE client_id = $1 AND threshold_id = $2 RETURNING ${THRESHOLD_COLUMNS}`,
            [id.clientId, id.key],
          );
          if (!row) throw missing();
          const { subject, subjectId, measure, period, limitBytes } = row;
          await recordAudit(tx, context, {
            clientId: id.clientId,
            action: 'deleteThreshold',
            subject: `Threshold:${id.key}`,
            detail: { subject, subjectId, measure, period, limitBytes },
          });
          await this.settings.settingsChanged(tx, id.clientId, await concerned(tx, row));
        });
        return { deletedId: input.threshold, userErrors: [] };
      },
      (userErrors) => ({ deletedId: null, userErrors }),
    );
  }
}

function targetOf({ caller }: GraphqlContext, { client, fleet, sim }: SetThresholdInput): Target {
  if (fleet && sim) throw new SimwardenError('BAD_USER_INPUT', { what: 'Give `fleet` or `sim`, not both.' }, ['sim']);
  if (!fleet && !sim) {
    const clientId = writeScope(caller, client);
    return { clientId, subject: ThresholdSubject.CLIENT, subjectId: String(clientId) };
  }
  const field = fleet ? 'fleet' : 'sim';
  const id = fleet ? requireGlobalId(fleet, 'Fleet') : requireGlobalId(sim!, 'Sim', 'int8');
  if (!maySee(caller, id) || (client && writeScope(caller, client) !== id.clientId))
    throw new SimwardenError('NOT_FOUND', { what: field }, [field]);
  return { clientId: id.clientId, subject: fleet ? ThresholdSubject.FLEET : ThresholdSubject.SIM, subjectId: id.key };
}

function requireBounds({ measure, limitBytes, warnPercent, clearPercent }: SetThresholdInput, { subject }: Target): void {
  const refuse = (what: string, field: string): never => {
    throw new SimwardenError('BAD_USER_INPUT', { what }, [field]);
  };
  if (subject === ThresholdSubject.SIM && measure === ThresholdMeasure.TOTAL)
    refuse('A limit of one SIM is PER_SIM; a TOTAL is of a fleet or client.', 'measure');
  if (BigInt(limitBytes) < 1n) refuse('limitBytes must be at least 1.', 'limitBytes');
  for (const [field, percent] of [
    ['warnPercent', warnPercent],
    ['clearPercent', clearPercent],
  ] as const) {
    if (!(percent >= 1 && percent <= 100)) refuse(`${field} is ${percent}; expected 1 to 100.`, field);
  }
}

/** The SIMs that the limit concerns; throws NOT_FOUND where its subject is missing. */
async function concerned(tx: Transaction, { clientId, subject, subjectId }: Target): Promise<readonly string[] | 'ALL'> {
  if (subject === ThresholdSubject.CLIENT) {
    if (!(await findClient(tx, clientId))) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
    return 'ALL';
  }
  if (subject === ThresholdSubject.SIM) {
    if (!(await findSim(tx, clientId, subjectId))) throw new SimwardenError('NOT_FOUND', { what: 'sim' }, ['sim']);
    return [subjectId];
  }
  if (!(await findFleet(tx, clientId, subjectId))) throw new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['fleet']);
  const sims = await tx.query<{ sim_id: string }>(
    'SELECT sim_id FROM sim WHERE client_id = $1 AND fleet_id = $2 AND closed_at IS NULL ORDER BY sim_id',
    [clientId, subjectId],
  );
  return sims.map(({ sim_id }) => sim_id);
}

async function upsert(tx: Transaction, context: GraphqlContext, target: Target, input: SetThresholdInput): Promise<ThresholdRow> {
  const { measure, period, limitBytes, warnPercent, clearPercent } = input;
  const [row] = await tx.query<ThresholdRow>(
    `INSERT INTO threshold (client_id, threshold_id, subject, subject_id, measure, period, limit_bytes, warn_percent, clear_percent, updated_at, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (client_id, subject, subject_id, measure, period) DO UPDATE SET limit_bytes = EXCLUDED.limit_bytes, warn_percent = EXCLUDED.warn_percent,
       clear_percent = EXCLUDED.clear_percent, updated_at = EXCLUDED.updated_at, updated_by = EXCLUDED.updated_by
     RETURNING ${THRESHOLD_COLUMNS}`,
    [
      target.clientId,
      context.entropy.uuid(),
      target.subject,
      target.subjectId,
      measure,
      period,
      limitBytes,
      warnPercent,
      clearPercent,
      context.clock.now(),
      context.caller.name,
    ],
  );
  return row!;
}

registerNode('Threshold', 'uuid', async (context, clientId, thresholdId) => {
  if (!mayUse('Query.policies', context.caller.role)) return null;
  const [row] = await context.read((tx) =>
    tx.query<ThresholdRow>(`SELECT ${THRESHOLD_COLUMNS} FROM threshold WHERE client_id = $1 AND threshold_id = $2`, [
      clientId,
      thresholdId,
    ]),
  );
  return row ? Threshold.of(row) : null;
});
