/** The README, followed from top to bottom by somebody at a terminal: its commands, its requests, and its portal. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runInThisContext } from 'node:vm';
import * as graphqlWs from 'graphql-ws';
import { ModuleKind, transpileModule } from 'typescript';
import { WebSocket } from 'ws';
import { ApiClient } from '../../src/commands/demo/api-client';
import { RunningCommand, simwarden, type Environment } from '../support/command-line';
import { createTestDatabase, testServerUrl } from '../support/database';

const README_ADDRESS = 'http://127.0.0.1:4000';

let readme: string;
let directory: string;
let environment: Environment;
let server: RunningCommand;
let url: string;
let dropDatabase: () => Promise<void> = () => Promise.resolve();

/** The code blocks of a language that contain this. */
function blocks(language: string, containing: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))]
    .map((match) => match[1]!)
    .filter((text) => text.includes(containing));
}

function block(language: string, containing: string): string {
  const found = blocks(language, containing);
  if (found.length !== 1) throw new Error(`the README has ${found.length} blocks of ${language} with ${containing}`);
  return found[0]!;
}

/** Runs a shell block as it stands, but for the address. */
async function shell(script: string): Promise<unknown> {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.replaceAll(README_ADDRESS, url)], {
    env: { PATH, ...environment },
  });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  readme = await readFile(join(__dirname, '../../README.md'), 'utf8');
  directory = await mkdtemp(join(tmpdir(), 'simwarden-readme-'));
  const key = /export SIMWARDEN_OPERATOR_KEY=(\S+)\nnpm start\n/.exec(block('sh', 'npm start'))![1]!;
  const database = testServerUrl === null ? null : await createTestDatabase(testServerUrl);
  if (database) dropDatabase = database.drop;
  environment = {
    PORT: '0',
    SIMWARDEN_DATA_DIR: join(directory, 'data'),
    SIMWARDEN_OPERATOR_KEY: key,
    ...(database ? { DATABASE_URL: database.url } : {}),
  };
  server = RunningCommand.simwarden(['serve'], environment);
  url = (await server.line(/^Simwarden listens on (\S+)$/))[1]!;
});

afterAll(async () => {
  server?.kill('SIGTERM');
  const outcome = await server?.outcome;
  await dropDatabase();
  await rm(directory, { recursive: true, force: true });
  expect(outcome?.code).toBe(0);
});

it('names commands that the command line has', async () => {
  const { stdout, code } = await simwarden(['--help'], {});
  expect(code).toBe(0);
  const known = [...stdout.matchAll(/^ {2}([a-z]+)\b/gm)].map((match) => match[1]!);
  const named = [...readme.matchAll(/simwarden -- ([a-z]+)/g), ...readme.matchAll(/`simwarden ([a-z]+)/g)].map((match) => match[1]!);
  expect(named).toContain('ingest');
  expect(named.filter((command) => !known.includes(command))).toEqual([]);
});

it.each(['/', '/healthz', '/readyz', '/metrics'])('serves %s without a key', async (path) => {
  expect(readme).toContain(`\`${path}\``);
  expect((await fetch(new URL(path, url))).status).toBe(200);
});

it('gives GraphiQL the key from the address', async () => {
  expect(readme).toContain(`<${README_ADDRESS}/#key=${environment['SIMWARDEN_OPERATOR_KEY']}>`);
  expect(await (await fetch(new URL('/graphiql/start.js', url))).text()).toContain(
    "new URLSearchParams(location.hash.slice(1)).get('key')",
  );
});

it('registers a SIM, takes its usage, and answers who used most', async () => {
  const sims = block('sh', 'ingest/sims');
  expect(await shell(sims)).toMatchObject({ accepted: 1, rejected: 0, errors: [] });
  expect(await shell(sims)).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0 }); // as often as you like
  expect(await shell(block('sh', 'ingest/usage'))).toMatchObject({ accepted: 1, rejected: 0, errors: [] });
  const { data } = (await shell(block('sh', '/graphql'))) as { data: { clients: { nodes: { id: string; name: string }[] } } };
  expect(data.clients.nodes).toMatchObject([{ name: 'River Research' }]);
  const operator = new ApiClient(url, environment['SIMWARDEN_OPERATOR_KEY']!);
  const answer = await operator.graphql(block('graphql', 'WhoUsedMost'), { client: data.clients.nodes[0]!.id });
  expect(answer).toMatchObject({
    topConsumers: [{ rank: 1, totalBytes: '57200', sim: { iccid: '8988307000000000016', fleet: { name: 'Mississippi' } } }],
  });
});

it('sends a file by the command line, through the running server where there is one', async () => {
  expect(readme).toContain('npm run -s simwarden -- ingest usage FILE.csv');
  const file = join(directory, 'usage.csv');
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await writeFile(
    file,
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\nfile-1,8988307000000000016,${yesterday}T14:00:00Z,${yesterday}T14:10:00Z,5,5\n`,
  );
  const { code, stdout, stderr } = await simwarden(['ingest', 'usage', file], environment);
  expect([code, stdout + stderr]).toEqual([0, expect.stringMatching(/1 (record|row)?.*accepted|accepted.*1/)]);
});

it("keeps a portal up to date, also over a broken line, with the README's client", async () => {
  const operator = new ApiClient(url, environment['SIMWARDEN_OPERATOR_KEY']!);
  const { clients } = await operator.graphql<{ clients: { nodes: { id: string }[] } }>('{ clients(first: 1) { nodes { id } } }');
  const client = clients.nodes[0]!.id;
  const { createApiKey } = await operator.graphql<{ createApiKey: { secret: string } }>(block('graphql', 'PortalKey'), { client });
  const portal = new Portal(createApiKey.secret);
  try {
    await portal.connected;
    await operator.graphql('mutation Limit($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }', {
      input: { client, measure: 'PER_SIM', period: 'DAY', limitBytes: '1000' },
    });
    const { alert } = await portal.next();
    expect(alert).toMatchObject({ state: 'OPEN', sim: { iccid: '8988307000000000016' } });
    portal.breakLine();
    await operator.graphql(
      'mutation Seen($input: AcknowledgeAlertsInput!) { acknowledgeAlerts(input: $input) { userErrors { message } } }',
      { input: { ids: [alert.id] } },
    );
    expect(await portal.next()).toMatchObject({ fromState: 'OPEN', toState: 'ACKNOWLEDGED', alert: { id: alert.id } });
  } finally {
    await portal.close();
  }
});

interface Shown {
  readonly alert: { readonly id: string };
}

/** Runs the README's client, on the ws package and at the server's address. */
class Portal {
  readonly connected: Promise<void>;
  private client: graphqlWs.Client | null = null;
  private readonly shown: Shown[] = [];
  private wake: () => void = () => undefined;
  private failure: unknown = null;

  constructor(key: string) {
    let isConnected: () => void;
    this.connected = new Promise((resolve) => (isConnected = resolve));
    const createClient = (options: graphqlWs.ClientOptions): graphqlWs.Client => {
      const address = String(options.url).replace(README_ADDRESS.replace('http', 'ws'), url.replace('http', 'ws'));
      this.client = graphqlWs.createClient({ ...options, url: address, webSocketImpl: WebSocket, retryWait: () => Promise.resolve() });
      this.client.on('connected', () => isConnected());
      return this.client;
    };
    const { outputText } = transpileModule(block('ts', 'graphql-ws'), { compilerOptions: { module: ModuleKind.CommonJS } });
    const run = runInThisContext(`(function (exports, require, liveAlerts, key, show, reload, ended) {${outputText}\n})`) as (
      ...given: unknown[]
    ) => void;
    const shows = (shown: Shown): void => {
      this.shown.push(shown);
      this.wake();
    };
    const fails = (error: unknown): void => {
      this.failure = error ?? 'reload';
      this.wake();
    };
    run({}, () => ({ createClient }), block('graphql', 'LiveAlerts'), key, shows, fails, fails);
  }

  async next(): Promise<Shown> {
    while (this.shown.length === 0) {
      if (this.failure !== null) throw new Error(`the portal was told ${JSON.stringify(this.failure)}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return this.shown.shift()!;
  }

  breakLine(): void {
    this.client!.terminate();
  }

  async close(): Promise<void> {
    await this.client?.dispose();
  }
}
