/** A small GraphQL server with a schema of its own, to test the machinery without any noun of the trade. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Max } from 'class-validator';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { container } from 'tsyringe';
import { Arg, Args, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { WebSocket } from 'ws';
import type { Database } from '../../../src/database/database';
import { Role, type Caller } from '../../../src/graphql/caller';
import { connectionOf, PageArgs, pageOf, type Connection } from '../../../src/graphql/connection';
import type { GraphqlContext } from '../../../src/graphql/context';
import { EventTail } from '../../../src/graphql/event-tail';
import { toGlobalId } from '../../../src/graphql/global-id';
import { idempotently } from '../../../src/graphql/idempotency';
import { appendEvent, liveField, type LiveRoot } from '../../../src/graphql/live';
import { Node, NodeResolver, registerNode } from '../../../src/graphql/nodes';
import { ReplayGap } from '../../../src/graphql/replay-gap';
import {
  ByteCountScalar,
  DateScalar,
  DateTimeScalar,
  IccidScalar,
  ImeiScalar,
  ImsiScalar,
  JsonScalar,
  PlmnScalar,
  SafeTextScalar,
} from '../../../src/graphql/scalars';
import { buildGraphqlSchema } from '../../../src/graphql/schema';
import { Sequencer } from '../../../src/graphql/sequencer';
import { createGraphqlServer, type GraphqlServer, type GraphqlServerParts } from '../../../src/graphql/server';
import { SimwardenError } from '../../../src/errors';
import { SystemClock, SystemEntropy, type Clock } from '../../../src/runtime';
import { testLog } from '../../support/database';

@ObjectType({ implements: Node, description: 'A lamp.' })
class Lamp implements Node {
  id: string;
  @Field(() => String, { description: 'Its name.' })
  name: string;
  @Field(() => Lamp, { nullable: true, description: 'The lamp behind it: itself, however often one asks.' })
  get behind(): Lamp {
    return this;
  }
}

function lampOf(clientId: number, name: string): Lamp {
  return Object.assign(new Lamp(), { id: toGlobalId('Lamp', clientId, name), name });
}

registerNode('Lamp', 'text', async (context, clientId, key) =>
  context.read(async (tx) => {
    const [row] = await tx.query<{ name: string }>('SELECT name FROM client WHERE client_id = $1 AND name = $2', [clientId, key]);
    return row ? { id: toGlobalId('Lamp', clientId, row.name), name: row.name } : null;
  }),
);

@ObjectType({ description: 'A page of lamps.' })
class LampConnection extends connectionOf(Lamp, 'Lamp') {}

@ObjectType({ description: 'A lamp changed.' })
class LampChanged {
  @Field(() => String, { description: 'For `after`.' })
  cursor: string;
  @Field(() => ReplayGap, { nullable: true, description: 'Events were missed.' })
  gap: ReplayGap | null;
  @Field(() => String, { nullable: true, description: 'Which lamp.' })
  subject: string | null;
  @Field(() => Int, { nullable: true, description: 'Which change of it.' })
  sequence: number | null;
  @Field(() => String, { nullable: true, description: 'Name of the client, read from the database for the event.' })
  owner: string | null;
  @Field(() => Int, { description: 'How often any live field was executed in this process.' })
  executions: number;
}

@InputType({ description: 'What to keep of an event.' })
class LampFilter {
  @Field(() => [String], { nullable: true, description: 'Severities.' })
  severities?: string[];
}

@InputType({ description: 'A change to announce.' })
class AnnounceInput {
  @Field(() => String, { description: 'Lamp.' })
  subject: string;
  @Field(() => Int, { description: 'Sequence.' })
  @Max(1_000_000)
  sequence: number;
  @Field(() => String, { nullable: true, description: 'Idempotency key.' })
  idempotencyKey?: string;
}

export const executions = { count: 0, stuck: new Set<string>() };

@Resolver()
class LampResolver {
  @Query(() => LampConnection, { description: 'Lamps, one per client that the caller sees.' })
  lamps(@Args(() => PageArgs) page: PageArgs, @Ctx() context: GraphqlContext): Promise<Connection<Lamp>> {
    return context.read(async (tx) => {
      const rows = await tx.query<{ client_id: number; name: string }>(
        'SELECT client_id, name FROM client WHERE client_id > 0 ORDER BY client_id LIMIT $1',
        [page.first + 1],
      );
      return pageOf(
        rows,
        page,
        (row) => [row.client_id],
        (row) => lampOf(row.client_id, row.name),
        () => Promise.resolve(rows.length),
      );
    });
  }

  @Query(() => String, { description: 'Database role and client of the operation.' })
  session(@Ctx() context: GraphqlContext): Promise<string> {
    return context.read(async (tx) => {
      const [row] = await tx.query<{ role: string; client: number | null; read_only: string }>(
        `SELECT current_user AS role, current_client() AS client, current_setting('transaction_read_only') AS read_only`,
      );
      return `${row!.role} ${row!.client ?? '-'} read-only=${row!.read_only}`;
    });
  }

  @Query(() => String, { nullable: true, description: 'Fails as told.' })
  fail(@Arg('how', () => String, { description: 'How.' }) how: string, @Ctx() context: GraphqlContext): Promise<string> {
    if (how === 'catalogue') throw new SimwardenError('NOT_FOUND', { what: 'lamp' });
    if (how === 'statement') return context.read(async (tx) => void (await tx.query('SELECT 1 / 0'))).then(() => 'never');
    throw new Error('the secret password is hunter2');
  }

  @Query(() => JsonScalar, { description: 'Echoes every scalar.' })
  echo(
    @Arg('at', () => DateTimeScalar, { nullable: true, description: '.' }) at?: Date,
    @Arg('day', () => DateScalar, { nullable: true, description: '.' }) day?: string,
    @Arg('bytes', () => ByteCountScalar, { nullable: true, description: '.' }) bytes?: string,
    @Arg('iccid', () => IccidScalar, { nullable: true, description: '.' }) iccid?: string,
    @Arg('imsi', () => ImsiScalar, { nullable: true, description: '.' }) imsi?: string,
    @Arg('imei', () => ImeiScalar, { nullable: true, description: '.' }) imei?: string,
    @Arg('plmn', () => PlmnScalar, { nullable: true, description: '.' }) plmn?: string,
    @Arg('text', () => SafeTextScalar, { nullable: true, description: '.' }) text?: string,
    @Arg('plain', () => String, { nullable: true, description: '.' }) plain?: string,
    @Arg('json', () => JsonScalar, { nullable: true, description: '.' }) json?: unknown,
  ): unknown {
    return { at, day, bytes, iccid, imsi, imei, plmn, text, plain, json };
  }

  @Mutation(() => Int, { description: 'Writes an event; answers how often the work ran.' })
  async announce(
    @Arg('input', () => AnnounceInput, { description: 'Change.' }) input: AnnounceInput,
    @Ctx() context: GraphqlContext,
  ): Promise<number> {
    await context.read((tx) => tx.query('SELECT 1'));
    const { clientId } = context.caller;
    const result = await context.write('lamps.announce', clientId, (tx) =>
      idempotently(tx, { clientId, operation: 'announce', key: input.idempotencyKey, request: { ...input } }, async () => {
        await appendEvent(tx, context.entropy.uuid(), lampEvent(clientId, input.subject, input.sequence, context.clock.now()));
        await context.read((inner) => inner.query('SELECT 1'));
        return { ran: (executions.count += 1) };
      }),
    );
    return result.ran;
  }

  @Subscription(() => LampChanged, {
    description: 'Lamps as they change.',
    subscribe: liveField({
      name: 'lampChanged',
      eventType: 'ALERT_CHANGED',
      matches: (event, args) => {
        const severities = (args['filter'] as LampFilter | undefined)?.severities;
        return !severities || severities.includes(String(event.attributes['severity']));
      },
    }),
  })
  async lampChanged(
    @Root() root: LiveRoot,
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => LampFilter, { nullable: true, description: 'Which.' }) _filter?: LampFilter,
    @Arg('after', () => String, { nullable: true, description: 'Cursor.' }) _after?: string,
  ): Promise<LampChanged> {
    executions.count += 1;
    if (root.event === null)
      return { cursor: root.cursor, gap: root.gap, subject: null, sequence: null, owner: null, executions: executions.count };
    if (executions.stuck.has(root.event.subjectId)) await new Promise(() => undefined);
    if (root.event.subjectId === 'broken') throw new Error('the filament is gone');
    const { event } = root;
    const owner = await context.read(async (tx) => {
      const [row] = await tx.query<{ name: string }>('SELECT name FROM client WHERE client_id = $1', [event.clientId]);
      return row?.name ?? null;
    });
    return { cursor: root.cursor, gap: null, subject: event.subjectId, sequence: event.sequence, owner, executions: executions.count };
  }

  @Query(() => ID, { nullable: true, description: 'An id.' })
  anId(): string {
    return 'x';
  }
}
container.registerSingleton(LampResolver);

export function lampEvent(clientId: number, subjectId: string, sequence: number, occurredAt: Date, attributes = {}) {
  return {
    clientId,
    type: 'ALERT_CHANGED' as const,
    subjectId,
    sequence,
    fields: ['state'],
    fromState: null,
    toState: 'ON',
    attributes,
    occurredAt,
  };
}

export function callerNamed(key: string, clientId: number, role: Role, more: Partial<Caller> = {}): Caller {
  return { role, clientId, credentialId: key, credentialKind: 'API_KEY', name: key, person: key, expiresAt: null, fleetIds: null, ...more };
}

export interface LampServer {
  readonly url: string;
  readonly socketUrl: string;
  readonly http: Server;
  readonly graphql: GraphqlServer;
  readonly sequencer: Sequencer;
  readonly tail: EventTail;
  readonly callers: Map<string, Caller>;
  revoke(credentialId: string): void;
  openSocketCount(): number;
  /** One POST; `key` null: without credential. */
  post(query: string, options?: PostOptions): Promise<LampAnswer>;
  client(key: string, options?: Partial<ClientOptions>): Client;
  close(): Promise<void>;
}

interface PostOptions {
  readonly key?: string | null;
  readonly variables?: unknown;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface LampAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    data?: Record<string, unknown> | null;
    errors?: { message: string; path?: string[]; extensions: { code: string; requestId?: string } }[];
    extensions?: { cost?: number };
  };
  readonly text: string;
}

export async function startLampServer(
  database: Database,
  options: Partial<GraphqlServerParts> & { clock?: Clock } = {},
): Promise<LampServer> {
  const clock = options.clock ?? new SystemClock();
  const services = { database, clock, entropy: new SystemEntropy(), log: testLog };
  const callers = new Map([
    ['operator', callerNamed('operator', 0, Role.OPERATOR)],
    ['one', callerNamed('one', 1, Role.CLIENT_ADMIN)],
    ['one-viewer', callerNamed('one-viewer', 1, Role.CLIENT_VIEWER)],
    ['two', callerNamed('two', 2, Role.CLIENT_ADMIN)],
    ['embed', callerNamed('embed', 1, Role.EMBED, { credentialKind: 'EMBED_TOKEN' })],
  ]);
  const revocations = new Set<(credentialId: string) => void>();
  const schema = await buildGraphqlSchema({ resolvers: [LampResolver, NodeResolver], container });
  const tail = new EventTail(database, testLog);
  const sequencer = new Sequencer(database, clock, testLog);
  const graphql = await createGraphqlServer({
    schema,
    services,
    tail,
    authenticate: ({ authorization }) => Promise.resolve(callers.get(authorization?.replace(/^Bearer /, '') ?? '') ?? null),
    authorize: (caller, field) => {
      if (caller.role === Role.CLIENT_VIEWER && field.startsWith('Mutation.'))
        throw new SimwardenError('FORBIDDEN', { role: caller.role, field, allowed: 'CLIENT_ADMIN' });
    },
    corsOrigins: ['https://portal.example.com'],
    requestsPerMinute: 100_000,
    graphiql: true,
    onRevoked: (listener) => {
      revocations.add(listener);
      return () => revocations.delete(listener);
    },
    ...options,
  });
  const app = express();
  app.use(graphql.router);
  const http = createServer(app);
  const sockets = graphql.attach(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  tail.start();
  const address = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  const clients: Client[] = [];
  return {
    url: `http://${address}/graphql`,
    socketUrl: `ws://${address}/graphql`,
    http,
    graphql,
    sequencer,
    tail,
    callers,
    revoke: (credentialId) => revocations.forEach((listener) => listener(credentialId)),
    openSocketCount: () => sockets.openSocketCount,
    post: (query, given) => post(`http://${address}/graphql`, query, given),
    client(key, more = {}) {
      const client = createClient({
        url: `ws://${address}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${key}` },
        retryAttempts: 0,
        ...more,
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) await client.dispose();
      await graphql.stop();
      await sequencer.stop();
      await tail.stop();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
}

async function post(url: string, query: string, { key = 'one', variables, headers = {}, body }: PostOptions = {}): Promise<LampAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
    body: body ?? JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : {}, text };
}

/** Clients 1 and 2, named `one` and `two`. */
export async function seedClients(database: Database): Promise<void> {
  await database.transaction({ name: 'test.seed', role: 'operator' }, (tx) =>
    tx.query(
      `INSERT INTO client (client_id, name, created_at, updated_at) VALUES (1, 'one', 'epoch', 'epoch'), (2, 'two', 'epoch', 'epoch')`,
    ),
  );
}
