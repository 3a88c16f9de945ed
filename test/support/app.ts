/** A whole app on a database of its own, and what a test does to it through the public door. */
import { createApp, type App, type AppOptions } from '../../src/app';
import { ApiClient } from '../../src/commands/demo/api-client';
import { Config } from '../../src/config';
import { ManualClock } from '../../src/runtime';
import { openTestDatabase, testLog, type TestDatabase } from './database';

export const OPERATOR_KEY = 'operator-key-of-the-tests-0123456789';

export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly clock: ManualClock;
  readonly databaseUrl: string | null;
  readonly operator: ApiClient;
  /** A key for a client, through the API. `client`: its name. */
  keyFor(client: string, role: string, owner?: string): Promise<string>;
  clientId(name: string): Promise<string>;
  close(): Promise<void>;
}

export interface TestAppOptions extends Partial<Omit<AppOptions, 'config' | 'database'>> {
  readonly now?: Date;
  readonly testDatabase?: TestDatabase;
  readonly config?: Partial<Config>;
}

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const testDatabase = options.testDatabase ?? (await openTestDatabase());
  const clock = (options.clock as ManualClock | undefined) ?? new ManualClock(options.now ?? new Date('2026-11-15T00:00:00Z'));
  const config = new Config({ port: 0, operatorKey: OPERATOR_KEY, environment: 'test', requestsPerMinute: 1_000_000, ...options.config });
  const app = await createApp({ log: testLog, ...options, config, clock, database: testDatabase.database });
  const operator = new ApiClient(app.url, OPERATOR_KEY);
  const clientId = async (name: string): Promise<string> => {
    const { clients } = await operator.graphql<{ clients: { nodes: { id: string; name: string }[] } }>(
      '{ clients(first: 100) { nodes { id name } } }',
    );
    const found = clients.nodes.find((client) => client.name === name);
    if (!found) throw new Error(`no client ${name} among ${clients.nodes.map((client) => client.name).join(', ')}`);
    return found.id;
  };
  return {
    app,
    url: app.url,
    clock,
    databaseUrl: testDatabase.url,
    operator,
    clientId,
    keyFor: async (client, role, owner = `owner of ${client}`) => {
      const { createApiKey } = await operator.graphql<{ createApiKey: { secret: string } }>(
        'mutation Key($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }',
        { input: { client: await clientId(client), role, name: `${role} of ${client}`, owner } },
      );
      return createApiKey.secret;
    },
    close: async () => {
      await operator.close();
      await app.close();
      if (!options.testDatabase) await testDatabase.close();
    },
  };
}
