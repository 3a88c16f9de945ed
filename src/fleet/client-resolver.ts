/** Clients over GraphQL. */
import { Max, Min } from 'class-validator';
import { Arg, Args, Ctx, Field, FieldResolver, Float, ID, InputType, Int, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { ApiKey, AuditRecord, emptyPage, maySee, mayUse, recordAudit, requireClientId, RowFilter, Viewer } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator } from '../graphql/caller';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { registerNode } from '../graphql/nodes';
import { SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { Client, ClientConnection, clientLoader, CLIENT_COLUMNS, findClient, requireTimeZone, type ClientRow } from './client';
import { loaderKey } from './client-batch';
import { claim, lookupClientNames, release } from './directory';
import { SettingChangeListener } from './ports';
import { newClientIds } from './registration-claims';
import { requireClientName } from './registration-rows';
import { ensureClient } from './registration-store';

@InputType({ description: 'Settings of a client; what is left out stays as it is.' })
class ClientSettings {
  @Field(() => SafeTextScalar, { nullable: true, description: 'IANA time zone, such as Europe/Madrid; a new client has UTC.' })
  timeZone?: string | null;
  @Field(() => Int, { nullable: true, description: 'Day of the month on which a billing period begins, 1 to 28; a new client has 1.' })
  @Min(1)
  @Max(28)
  billingCycleDay?: number | null;
  @Field(() => Float, {
    nullable: true,
    description: 'Share of the SIMs, in percent (0 to 100), that may be blocked within an hour; 0: none at all; a new client has 10.',
  })
  @Min(0)
  @Max(100)
  maxBlockPercentPerHour?: number | null;
  @Field(() => Int, {
    nullable: true,
    description: 'A block of more SIMs than this needs a second person, 0 or more; a new client has 10.',
  })
  @Min(0)
  secondPersonAbove?: number | null;
}

@InputType({ description: 'A client to make.' })
export class CreateClientInput extends ClientSettings {
  @Field(() => SafeTextScalar, { description: 'Name, unique among clients, 1 to 200 characters on one line.' })
  name: string;
}

@InputType({ description: 'Changes of a client; what is left out stays as it is.' })
export class UpdateClientInput extends ClientSettings {
  @Field(() => ID, { description: 'The client.' })
  client: string;
  @Field(() => SafeTextScalar, { nullable: true, description: 'New name, unique among clients, 1 to 200 characters on one line.' })
  name?: string | null;
}

@ObjectType({ description: 'The client that was made.' })
export class CreateClientPayload {
  @Field(() => Client, { nullable: true, description: 'The client; null where there are user errors.' })
  client: Client | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the client was made.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The client that was changed.' })
export class UpdateClientPayload {
  @Field(() => Client, { nullable: true, description: 'The client; null where there are user errors.' })
  client: Client | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the client was changed.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class ClientResolver {
  constructor(private readonly settings: SettingChangeListener) {}

  @Query(() => Client, { nullable: true, description: 'A client by its id; null when there is none, or it is not yours to see.' })
  async client(
    @Arg('id', () => ID, { description: 'Id of the client.' }) id: string,
    @Ctx() context: GraphqlContext,
  ): Promise<Client | null> {
    const client = requireClientId(id);
    return maySee(context.caller, client) ? context.load(clientLoader, loaderKey(client.clientId, client.key)) : null;
  }

  @Query(() => ClientConnection, { description: 'The clients that the caller sees, by name: an operator all, others their own.' })
  async clients(@Ctx() context: GraphqlContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<Client>> {
    if (!isOperator(context.caller) && context.caller.clientId === 0) return emptyPage(page);
    const seen = () =>
      isOperator(context.caller) ? new RowFilter().and('client_id > 0') : new RowFilter().and('client_id = ?', context.caller.clientId);
    const shown = seen();
    if (page.after) shown.and('(name, client_id) > (?::text, ?::int4)', ...decodeCursor(page.after, ['text', 'number']));
    const rows = await context.read((tx) =>
      tx.query<ClientRow>(
        `SELECT ${CLIENT_COLUMNS} FROM client ${shown.where} ORDER BY name, client_id LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    return pageOf(
      rows,
      page,
      (row) => [row.name, row.client_id],
      (row) => Client.of(row),
      async () => {
        const [counted] = await context.read((tx) =>
          tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM client ${seen().where}`, seen().parameters),
        );
        return counted!.count;
      },
    );
  }

  @Mutation(() => CreateClientPayload, { description: 'Makes a client.' })
  async createClient(
    @Arg('input', () => CreateClientInput, { description: 'The client.' }) input: CreateClientInput,
    @Ctx() context: GraphqlContext,
  ): Promise<CreateClientPayload> {
    return withUserErrors<CreateClientPayload>(
      async () => {
        const name = requireClientName(input.name, ['name']);
        return { client: await context.write('fleet.createClient', 0, (tx) => create(tx, context, name, input)), userErrors: [] };
      },
      (userErrors) => ({ client: null, userErrors }),
    );
  }

  @Mutation(() => UpdateClientPayload, { description: 'Changes a client.' })
  async updateClient(
    @Arg('input', () => UpdateClientInput, { description: 'What to change.' }) input: UpdateClientInput,
    @Ctx() context: GraphqlContext,
  ): Promise<UpdateClientPayload> {
    return withUserErrors<UpdateClientPayload>(
      async () => {
        const id = requireClientId(input.client);
        if (!maySee(context.caller, id)) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
        const client = await context.write('fleet.updateClient', id.clientId, (tx) => this.update(tx, context, id.clientId, input));
        return { client, userErrors: [] };
      },
      (userErrors) => ({ client: null, userErrors }),
    );
  }

  private async update(tx: Transaction, context: GraphqlContext, clientId: number, input: UpdateClientInput): Promise<Client> {
    const [row] = await tx.query<ClientRow>(`SELECT ${CLIENT_COLUMNS} FROM client WHERE client_id = $1 FOR UPDATE`, [clientId]);
    if (!row) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
    const before = Client.of(row);
    if (input.name) await rename(tx, context, before, requireClientName(input.name, ['name']));
    await applySettings(tx, context, clientId, input);
    const after = (await findClient(tx, clientId))!;
    if (after.billingCycleDay !== before.billingCycleDay) await this.settings.settingsChanged(tx, clientId, 'ALL');
    const detail = differences(before, after);
    if (Object.keys(detail).length > 0)
      await recordAudit(tx, context, { clientId, action: 'updateClient', subject: `Client:${clientId}`, detail });
    return after;
  }
}

async function create(tx: Transaction, context: GraphqlContext, name: string, input: ClientSettings): Promise<Client> {
  const taken = () => new SimwardenError('ALREADY_EXISTS', { what: 'client', key: 'name', given: name }, ['name']);
  // A name without a client was given out by an import that died before it made the client: this one takes its place.
  const known = (await lookupClientNames(tx, [name])).get(name);
  const clientId = known ?? (await newClientIds(tx, 1))[0]!;
  if (known === undefined && (await claim(tx, 'CLIENT_NAME', [{ value: name, clientId, simId: null }], context.clock.now())).length === 0)
    throw taken();
  if (!(await ensureClient(tx, context, clientId, name))) throw taken();
  await applySettings(tx, context, clientId, input);
  await recordAudit(tx, context, { clientId, action: 'createClient', subject: `Client:${clientId}`, detail: { name } });
  return (await findClient(tx, clientId))!;
}

async function rename(tx: Transaction, context: GraphqlContext, client: Client, name: string): Promise<void> {
  if (name === client.name) return;
  const owner = { clientId: client.clientId, simId: null };
  if ((await claim(tx, 'CLIENT_NAME', [{ value: name, ...owner }], context.clock.now())).length === 0) {
    throw new SimwardenError('ALREADY_EXISTS', { what: 'client', key: 'name', given: name }, ['name']);
  }
  await release(tx, 'CLIENT_NAME', [{ value: client.name, ...owner }], context.clock.now());
  await tx.query('UPDATE client SET name = $2, updated_at = $3 WHERE client_id = $1', [client.clientId, name, context.clock.now()]);
}

async function applySettings(tx: Transaction, context: GraphqlContext, clientId: number, input: ClientSettings): Promise<void> {
  const values = {
    time_zone: input.timeZone ? requireTimeZone(input.timeZone) : null,
    billing_cycle_day: input.billingCycleDay ?? null,
    max_block_percent_per_hour: input.maxBlockPercentPerHour ?? null,
    second_person_above: input.secondPersonAbove ?? null,
  };
  const given = Object.entries(values).filter(([, value]) => value !== null);
  if (given.length === 0) return;
  await tx.query(
    `UPDATE client SET ${given.map(([column], i) => `${column} = $${i + 3}`).join(', ')}, updated_at = $2 WHERE client_id = $1`,
    [clientId, context.clock.now(), ...given.map(([, value]) => value)],
  );
}

function differences(before: Client, after: Client): Record<string, unknown> {
  const fields = ['name', 'timeZone', 'billingCycleDay', 'maxBlockPercentPerHour', 'secondPersonAbove'] as const;
  return Object.fromEntries(
    fields.filter((field) => before[field] !== after[field]).map((field) => [field, { from: before[field], to: after[field] }]),
  );
}

/** The client behind what access knows by number only; null for the operator's own. */
function clientOf(owner: { clientId: number }, context: GraphqlContext): Promise<Client | null> {
  return owner.clientId === 0 ? Promise.resolve(null) : context.load(clientLoader, loaderKey(owner.clientId, String(owner.clientId)));
}

@singleton()
@Resolver(() => Viewer)
export class ViewerClientResolver {
  @FieldResolver(() => Client, {
    nullable: true,
    description: 'The client that the caller belongs to; null for an operator, and for keys that only ingest or embed.',
  })
  client(@Root() viewer: Viewer, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return clientOf(viewer, context);
  }
}

@singleton()
@Resolver(() => ApiKey)
export class ApiKeyClientResolver {
  @FieldResolver(() => Client, { nullable: true, description: "The client that the key belongs to; null for an operator's key." })
  client(@Root() key: ApiKey, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return clientOf(key, context);
  }
}

@singleton()
@Resolver(() => AuditRecord)
export class AuditClientResolver {
  @FieldResolver(() => Client, { nullable: true, description: "The client whose things were changed; null for the operator's own." })
  client(@Root() record: AuditRecord, @Ctx() context: GraphqlContext): Promise<Client | null> {
    return clientOf(record, context);
  }
}

registerNode('Client', 'int8', async (context, clientId, key) =>
  mayUse('Query.client', context.caller.role) && key === String(clientId) && clientId > 0
    ? context.load(clientLoader, loaderKey(clientId, key))
    : null,
);
