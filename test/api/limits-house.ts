/** A house with something of everything in it, and a caller that asks it anything and keeps the whole answer. */
import { getNamedType, isObjectType, type GraphQLSchema } from 'graphql';
import { columns, makePopulation, simsCsv, telemetryBetween, toCsv } from '../../seeds';
import { errorCatalogue } from '../../src/errors';
import { argumentsOf } from './limits-schema';
import { OPERATOR_KEY, startTestApp, type TestApp } from '../support/app';

const HOUR = 3_600_000;
export const NOW = new Date('2026-11-15T00:00:00Z');

export interface Answer {
  readonly status: number;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export interface LimitsHouse extends TestApp {
  readonly schema: GraphQLSchema;
  /** A key of a customer's admin. */
  readonly adminKey: string;
  /** By type name: ids of objects that exist. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  /** Cursors of lists, by root field. */
  readonly cursors: ReadonlyMap<string, string>;
  ask(query: string, variables?: Record<string, unknown>, key?: string): Promise<Answer>;
}

export async function openLimitsHouse(): Promise<LimitsHouse> {
  const house = await startTestApp({ now: NOW, workers: false });
  const iccid = await furnish(house);
  const adminKey = await house.keyFor(CUSTOMER, 'CLIENT_ADMIN');
  const ask: LimitsHouse['ask'] = (query, variables = {}, key = OPERATOR_KEY) => post(house.url, { query, variables }, key);
  const { simByIccid } = await house.operator.graphql<{ simByIccid: { id: string } }>(
    'query S($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } }',
    { iccid },
  );
  const { ids, cursors } = await whatThereIs(house.app.schema, simByIccid.id, [
    (query, variables) => ask(query, variables as never, adminKey),
    (query, variables) => ask(query, variables as never),
  ]);
  return { ...house, schema: house.app.schema, adminKey, ids, cursors, ask };
}

export async function post(url: string, body: unknown, key: string): Promise<Answer> {
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { ...((await response.json()) as Omit<Answer, 'status'>), status: response.status };
}

/** A customer with a story, so that there is something of everything. */
const CUSTOMER = 'Volta Charging';

/** Two days of the story fleets, with limits that some pass, an incident, blocks, bad rows, keys. */
async function furnish(house: TestApp): Promise<string> {
  const population = makePopulation({ sims: 60, days: 9, seed: 3, end: NOW });
  await house.operator.ingest('sims', simsCsv(population), 'sims');
  const client = await house.clientId(CUSTOMER);
  const run = (mutation: string, input: object) =>
    house.operator.graphql<Record<string, Record<string, { id: string }>>>(
      `mutation Do($input: ${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { ${returned[mutation] ?? ''} userErrors { message } } }`,
      { input },
    );
  await run('setThreshold', { client, measure: 'PER_SIM', period: 'DAY', limitBytes: '10000000' });
  const telemetry = telemetryBetween(population, new Date(NOW.getTime() - 40 * HOUR), NOW);
  await house.operator.ingest('usage', toCsv(telemetry.usage, columns.usage), 'usage');
  await house.operator.ingest('connection-events', toCsv(telemetry.connectionEvents, columns.connectionEvents), 'connections');
  await house.operator.ingest('device-events', toCsv(telemetry.deviceEvents, columns.deviceEvents), 'devices');
  await house.operator.graphql(
    `mutation Bad($input: IngestUsageInput!) { ingestUsage(input: $input) { rejected userErrors { message } } }`,
    {
      input: {
        records: [
          {
            iccid: '8988307000099999997',
            startedAt: '2026-11-14T00:00:00Z',
            endedAt: '2026-11-14T01:00:00Z',
            uplinkBytes: '1',
            downlinkBytes: '1',
          },
        ],
      },
    },
  );
  await house.app.settle();
  const iccid = population.stories.find((story) => story.client === CUSTOMER)!.iccids[0]!;
  const { simByIccid } = await house.operator.graphql<{ simByIccid: { id: string } }>(
    'query S($iccid: ICCID!) { simByIccid(iccid: $iccid) { id } }',
    { iccid },
  );
  await run('requestBlock', { sims: [simByIccid.id], mode: 'PERMANENT_REJECT', reason: 'Stolen' });
  await run('openIncident', { client, title: 'A strange week' });
  await run('backtestDetector', { detector: 'threshold', scope: { client }, from: '2026-11-13', to: '2026-11-13' });
  await house.app.settle();
  return iccid;
}

const returned: Readonly<Record<string, string>> = {
  setThreshold: 'threshold { id }',
  requestBlock: 'blockRequest { id }',
  openIncident: 'incident { id }',
  backtestDetector: 'backtest { id }',
};

/** Asks every list for what is in it: first as the customer, so that what comes first belongs together, then as the operator. */
async function whatThereIs(
  schema: GraphQLSchema,
  sim: string,
  askAs: readonly ((query: string, variables: object) => Promise<Answer>)[],
): Promise<Pick<LimitsHouse, 'ids' | 'cursors'>> {
  const ids = new Map<string, string[]>([
    ['Detector', ['threshold']],
    ['Sim', [sim]],
  ]);
  const cursors = new Map<string, string>();
  const lists = Object.values(schema.getQueryType()!.getFields()).filter((field) => /Connection$/.test(getNamedType(field.type).name));
  for (const ask of askAs) {
    for (const field of lists) {
      const variables = argumentsOf(field, (path, type) => {
        if (/^(filter|orderBy)$/.test(path) && !String(field.args.find(({ name }) => name === path)?.type).endsWith('!')) return null;
        if (/(^|\.)(fleet|client)$/.test(path)) return null;
        return sampleOf(path, type, () => sim);
      });
      const declared = field.args.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
      const passed = field.args.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
      const type = getNamedType(field.type);
      const node = isObjectType(type) ? getNamedType(type.getFields()['nodes']?.type as never) : null;
      const named = isObjectType(node) && node.getInterfaces().some(({ name }) => name === 'Node');
      const answer = await ask(
        `query List(${declared}) { ${field.name}(${passed}) { nodes { ${named ? 'id' : '__typename'} } pageInfo { endCursor } } }`,
        { ...variables, first: 3 },
      );
      // what is the operator's alone is asked as the operator
      if (JSON.stringify(answer.errors ?? '').includes('FORBIDDEN')) continue;
      if (answer.errors) throw new Error(`${field.name}: ${JSON.stringify(answer.errors)}`);
      const page = answer.data?.[field.name] as { nodes: { id?: string }[]; pageInfo: { endCursor: string | null } };
      if (page.pageInfo.endCursor && !cursors.has(field.name)) cursors.set(field.name, page.pageInfo.endCursor);
      if (named) ids.set(node.name, [...new Set([...(ids.get(node.name) ?? []), ...page.nodes.flatMap(({ id }) => id ?? [])])]);
    }
  }
  return { ids, cursors };
}

/** A value that means something here; undefined: whatever is usual for the type. */
export function sampleOf(path: string, typeName: string, idOf: (path: string) => string | undefined): unknown {
  const ends = /(^|\.)(to|.*Before|day)$/.test(path);
  if (typeName === 'ID') return idOf(path);
  if (typeName === 'Date') return ends ? '2026-11-14' : '2026-11-13';
  if (typeName !== 'DateTime') return undefined;
  if (/(until|restoreAt|expiresAt)$/.test(path)) return '2026-12-01T00:00:00Z';
  return ends ? '2026-11-15T00:00:01Z' : '2026-11-13T00:00:00Z';
}

/** What is wrong with an answer: a fault of ours, or an error that no document tells of. Null: nothing. */
export function fault(answer: Answer): string | null {
  if (answer.status >= 500) return `status ${answer.status}: ${JSON.stringify(answer.errors)}`;
  const known = new Set<string>([...Object.keys(errorCatalogue), 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']);
  known.delete('INTERNAL_SERVER_ERROR');
  const codes = [
    ...(answer.errors ?? []).map((error) => error.extensions?.code),
    ...Object.values(answer.data ?? {}).flatMap(userErrorCodes),
  ];
  const strange = codes.find(
    (code) => code === undefined || !known.has(code) || (errorCatalogue[code as keyof typeof errorCatalogue]?.status ?? 400) >= 500,
  );
  if (codes.length > 0 && strange !== undefined) return `${strange}: ${JSON.stringify(answer.errors)}`;
  if (codes.includes(undefined)) return `an error without a code: ${JSON.stringify(answer.errors)}`;
  return answer.data === undefined && codes.length === 0 ? 'neither data nor errors' : null;
}

function userErrorCodes(payload: unknown): (string | undefined)[] {
  const errors = (payload as { userErrors?: { code?: string }[] } | null)?.userErrors;
  return errors?.map(({ code }) => code) ?? [];
}
