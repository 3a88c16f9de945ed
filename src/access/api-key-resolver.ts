/** API keys over GraphQL. */
import { Arg, Args, Ctx, Field, ID, InputType, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { SimwardenError } from '../errors';
import { isOperator, Role } from '../graphql/caller';
import { decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId } from '../graphql/global-id';
import { registerNode } from '../graphql/nodes';
import { DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { ApiKey, ApiKeyConnection } from './api-key';
import { API_KEY_COLUMNS, type ApiKeyRow } from './api-key-store';
import { ApiKeys } from './api-keys';
import { mayUse } from './authorise';
import { maySee, readScope, writeScope } from './client-scope';
import { emptyPage } from './empty-page';
import { RowFilter } from './row-filter';

@InputType({ description: 'A key to make.' })
export class CreateApiKeyInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Client that the key belongs to. Operators must give it, save for the role OPERATOR; others may leave it out.',
  })
  client?: string | null;
  @Field(() => SafeTextScalar, { description: 'What the key is for, 1 to 200 characters; shown in the audit log.' })
  name: string;
  @Field(() => Role, { description: 'What the key may do. Only an operator makes keys with the role OPERATOR.' })
  role: Role;
  @Field(() => SafeTextScalar, { description: 'The person answerable for the key, 1 to 200 characters, such as an e-mail address.' })
  owner: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the key ends by itself; default: never.' })
  expiresAt?: Date | null;
}

@ObjectType({ description: 'The key that was made.' })
export class CreateApiKeyPayload {
  @Field(() => ApiKey, { nullable: true, description: 'The key; null where there are user errors.' })
  apiKey: ApiKey | null;
  @Field(() => String, { nullable: true, description: 'What to send as `Authorization: Bearer …`. Shown now and never again.' })
  secret: string | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the key was made.' })
  userErrors: UserError[];
}

@InputType({ description: 'A key to end.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'The key.' })
  apiKey: string;
}

@ObjectType({ description: 'The key that was ended.' })
export class RevokeApiKeyPayload {
  @Field(() => ApiKey, { nullable: true, description: 'The key; null where there are user errors.' })
  apiKey: ApiKey | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the key is ended.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class ApiKeyResolver {
  constructor(private readonly keys: ApiKeys) {}

  @Query(() => ApiKeyConnection, { description: 'API keys, newest first, ended ones too.' })
  async apiKeys(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('client', () => ID, { nullable: true, description: 'Only keys of this client. Operators who leave it out see all.' })
    client?: string | null,
  ): Promise<Connection<ApiKey>> {
    const scope = readScope(context.caller, client);
    if (scope === null) return emptyPage(page);
    const all = () => (scope.clientId === null ? new RowFilter() : new RowFilter().and('client_id = ?', scope.clientId));
    const filter = all();
    if (page.after) filter.and('(created_at, key_id) < (?::timestamptz, ?::uuid)', ...decodeCursor(page.after, ['instant', 'uuid']));
    const rows = await context.read((tx) =>
      tx.query<ApiKeyRow>(
        `SELECT ${API_KEY_COLUMNS} FROM api_key ${filter.where} ORDER BY created_at DESC, key_id DESC LIMIT ${page.first + 1}`,
        filter.parameters,
      ),
    );
    const count = async () => {
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM api_key ${all().where}`, all().parameters),
      );
      return counted!.count;
    };
    return pageOf(
      rows,
      page,
      (row) => [row.created_at.toISOString(), row.key_id],
      (row) => ApiKey.of(row),
      count,
    );
  }

  @Mutation(() => CreateApiKeyPayload, {
    description: "Makes an API key. A client's admin makes keys of its own client only, and never with the role OPERATOR.",
  })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' }) input: CreateApiKeyInput,
    @Ctx() context: GraphqlContext,
  ): Promise<CreateApiKeyPayload> {
    return withUserErrors<CreateApiKeyPayload>(
      async () => {
        const { caller } = context;
        const forNoClient = isOperator(caller) && input.role === Role.OPERATOR && !input.client;
        const clientId = forNoClient ? 0 : writeScope(caller, input.client);
        const { row, secret } = await this.keys.create(
          {
            clientId,
            role: input.role,
            name: requireLabel(input.name, 'name'),
            owner: requireLabel(input.owner, 'owner'),
            expiresAt: input.expiresAt ?? null,
          },
          caller,
          (name, client, work) => context.write(name, client, work),
        );
        return { apiKey: ApiKey.of(row), secret, userErrors: [] };
      },
      (userErrors) => ({ apiKey: null, secret: null, userErrors }),
    );
  }

  @Mutation(() => RevokeApiKeyPayload, {
    description: 'Ends an API key within a second, open sockets included. Ending it again changes nothing.',
  })
  async revokeApiKey(
    @Arg('input', () => RevokeApiKeyInput, { description: 'The key.' }) input: RevokeApiKeyInput,
    @Ctx() context: GraphqlContext,
  ): Promise<RevokeApiKeyPayload> {
    return withUserErrors<RevokeApiKeyPayload>(
      async () => {
        const id = requireGlobalId(input.apiKey, 'ApiKey');
        if (!maySee(context.caller, id)) throw new SimwardenError('NOT_FOUND', { what: 'API key' }, ['apiKey']);
        const row = await this.keys.revoke(id.clientId, id.key, context.caller, (name, client, work) => context.write(name, client, work));
        return { apiKey: ApiKey.of(row), userErrors: [] };
      },
      (userErrors) => ({ apiKey: null, userErrors }),
    );
  }
}

function requireLabel(text: string, field: string): string {
  const label = text.trim();
  if (label === '' || label.length > 200)
    throw new SimwardenError('BAD_USER_INPUT', { what: `${field} must have 1 to 200 characters.` }, [field]);
  return label;
}

registerNode('ApiKey', 'uuid', async (context, clientId, keyId) => {
  if (!mayUse('Query.apiKeys', context.caller.role)) return null;
  const [row] = await context.read((tx) =>
    tx.query<ApiKeyRow>(`SELECT ${API_KEY_COLUMNS} FROM api_key WHERE client_id = $1 AND key_id = $2`, [clientId, keyId]),
  );
  return row ? ApiKey.of(row) : null;
});
