/** Whatever is asked, the answer is data, a user error or an error of the catalogue: never a fault of ours. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  type GraphQLField,
  type GraphQLInputType,
} from 'graphql';
import { AT_LENGTH } from '../support/at-length';
import { argumentsOf, documentFor, type PickValue } from './limits-schema';
import { fault, openLimitsHouse, sampleOf, type Answer, type LimitsHouse } from './limits-house';
import { oddValues } from './limits-values';

let house: LimitsHouse;
beforeAll(async () => {
  house = await openLimitsHouse();
});
afterAll(() => house.close());

type Root = GraphQLField<unknown, unknown>;

/** A field below the arguments of a root field that takes a value. */
interface Leaf {
  readonly path: string;
  readonly typeName: string;
  readonly list: boolean;
  readonly values: readonly unknown[];
}

function leavesOf(field: Root): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (type: GraphQLInputType, path: string): void => {
    const bare = isNonNullType(type) ? type.ofType : type;
    const named = getNamedType(bare);
    const list = isListType(bare);
    if (isInputObjectType(named)) {
      leaves.push({ path, typeName: named.name, list, values: list ? [[], null, [{}], [null]] : [{}, null] });
      for (const inner of Object.values(named.getFields())) walk(inner.type, `${path}.${inner.name}`);
      return;
    }
    const singles = [
      ...oddValues(named.name, path),
      ...(isEnumType(named) ? named.getValues().map(({ name }) => name) : []),
      ...otherObjects(named.name, path),
    ];
    const many = list
      ? [[], [null], ...singles.slice(0, 1).map((value) => Array.from({ length: 1_001 }, () => value)), repeated(good(path, named.name))]
      : [];
    leaves.push({ path, typeName: named.name, list, values: [...(list ? singles.map((value) => [value]) : singles), ...many] });
  };
  for (const argument of field.args) walk(argument.type, argument.name);
  return leaves;
}

const repeated = (value: unknown): unknown[] => [value, value];

/** An id of every type, and a cursor of every list. */
function otherObjects(typeName: string, path: string): unknown[] {
  if (typeName === 'ID') return [...house.ids.values()].flatMap(([first]) => first ?? []);
  return path.endsWith('after') ? [...house.cursors.values()] : [];
}

const idTypes: Readonly<Record<string, string>> = {
  sim: 'Sim',
  sims: 'Sim',
  client: 'Client',
  fleet: 'Fleet',
  incident: 'Incident',
  into: 'Incident',
  from: 'Incident',
  alert: 'Alert',
  alerts: 'Alert',
  ids: 'Alert',
  blockRequest: 'BlockRequest',
  threshold: 'Threshold',
  apiKey: 'ApiKey',
  device: 'Device',
  detector: 'Detector',
  detectionRun: 'DetectionRun',
};

/** A value that means something. */
function good(path: string, typeName: string, root = ''): unknown {
  return sampleOf(path, typeName, (of) => {
    const name = of.split('.').at(-1)!;
    return house.ids.get(idTypes[name === 'id' ? root : name] ?? 'Sim')?.[0];
  });
}

/** What must not stand beside the rest for an input to mean something. */
const leftOut: Readonly<Record<string, RegExp>> = {
  requestBlock: /input\.(filter|alert|incident)/,
  unblockSim: /input\.filter/,
  setThreshold: /input\.(sim|fleet)/,
  acknowledgeAlerts: /input\.filter/,
  resolveAlerts: /input\.filter/,
  dismissAlerts: /input\.filter/,
  configureDetector: /input\.scope\.(sim|fleet)/,
  usageByTime: /scope\.(client|fleet)/,
  usageBySim: /scope\.(client|fleet)/,
  topConsumers: /scope\.(client|sim)/,
  createApiKey: /input\.client/,
  mergeIncidents: /nothing/,
};

function setIn(target: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const [name, ...rest] = path.split('.') as [string, ...string[]];
  if (rest.length === 0) return { ...target, [name]: value };
  const inner = target[name];
  const one = (Array.isArray(inner) ? inner[0] : inner) as Record<string, unknown> | undefined;
  const changed = setIn(one ?? {}, rest.join('.'), value);
  return { ...target, [name]: Array.isArray(inner) ? [changed] : changed };
}

/** Faults as texts: what was asked, what came. */
class Faults {
  readonly found: string[] = [];
  readonly kinds = new Map<string, number>();

  note(what: string, answer: Answer): void {
    const kind = answer.errors?.[0]?.extensions?.code ?? 'data';
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    const wrong = fault(answer);
    if (wrong) this.found.push(`${what} → ${wrong}`.slice(0, 600));
  }
}

/** Requests in flight at once: enough to keep both sides busy. */
async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
    }),
  );
}

/** `every`, `from`: takes only each so many-th case, from this one on; at length, all. */
async function oddArguments(operation: 'query' | 'mutation', fields: readonly Root[], key?: string, every = 1, from = 0): Promise<Faults> {
  const faults = new Faults();
  const cases = fields.flatMap((field) => {
    // Interfaces: their types have fields of one name and several types, which no single selection may ask for.
    const document = isInterfaceType(getNamedType(field.type))
      ? `query Node($id: ID!) { ${field.name}(id: $id) { __typename id } }`
      : documentFor(house.schema, operation, field, 2);
    const pick: PickValue = (path, typeName, list) => {
      if (leftOut[field.name]?.test(path)) return undefined;
      const value = path === 'first' || path === 'days' ? 3 : good(path, typeName, field.name);
      return value === undefined ? undefined : list ? [value] : value;
    };
    const base = argumentsOf(field, pick);
    return [
      { field, document, path: '(as it should be)', value: null, variables: base },
      ...leavesOf(field).flatMap((leaf) =>
        leaf.values.map((value) => ({ field, document, path: leaf.path, value, variables: setIn(base, leaf.path, value) })),
      ),
    ];
  });
  await inParallel(
    cases.filter((_, index) => AT_LENGTH || index % every === from),
    async ({ field, document, path, value, variables }) => {
      const answer = await house.ask(document, variables, key);
      faults.note(`${field.name} ${path} = ${String(JSON.stringify(value)).slice(0, 120)}`, answer);
    },
  );
  return faults;
}

const queries = (): Root[] => Object.values(house.schema.getQueryType()!.getFields());
/** They come last: among them the customer's key is revoked. */
const mutations = (): Root[] => Object.values(house.schema.getMutationType()!.getFields());

test('a fault of ours would be noticed', () => {
  const answered = (code: string | undefined, status = 200): Answer => ({
    status,
    data: null,
    errors: [{ message: '', extensions: { code } }],
  });
  expect(fault(answered('BAD_USER_INPUT'))).toBeNull();
  for (const bad of [
    answered('INTERNAL_SERVER_ERROR'),
    answered('STATEMENT_TIMEOUT'),
    answered('MADE_UP'),
    answered(undefined),
    answered('BAD_USER_INPUT', 500),
    { status: 200 },
  ]) {
    expect(fault(bad)).not.toBeNull();
  }
});

test('there is something of everything to ask about', () => {
  // nobody judged this house's population
  const missing = ['ClientAnomaly', 'DeviceAnomaly', 'PopulationRun'];
  expect([...house.ids].filter(([, ids]) => ids.length === 0).map(([type]) => type)).toEqual(missing);
  expect(house.cursors.size).toBeGreaterThan(15);
});

test('no odd value in any argument of a query is answered with a fault of ours', async () => {
  const { found, kinds } = await oddArguments('query', queries(), undefined, 4);
  expect(found).toEqual([]);
  // it got past the door: every sort of answer came
  for (const kind of ['data', 'BAD_USER_INPUT', 'WRONG_ID_TYPE', 'BAD_CURSOR', 'NOT_FOUND']) expect(kinds.get(kind)).toBeGreaterThan(10);
});

test("nor to a customer's key", async () => {
  const { found, kinds } = await oddArguments('query', queries(), house.adminKey, 4, 2);
  expect(kinds.get('data')).toBeGreaterThan(70);
  expect(found).toEqual([]);
});

test('no odd value in any argument of a mutation is answered with a fault of ours', async () => {
  const { found, kinds } = await oddArguments('mutation', mutations(), undefined, 3);
  expect(found).toEqual([]);
  expect(kinds.get('data')).toBeGreaterThan(300);
});
