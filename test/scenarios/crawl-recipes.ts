/** What each argument of the API names, so that the crawl can put another tenant's there. A new argument without a line here fails the crawl. */
import { getNamedType, isEnumType, isInputObjectType, isObjectType, type GraphQLEnumType, type GraphQLSchema } from 'graphql';
import { toGlobalId } from '../../src/graphql/global-id';
import { placesOf, type Place, type RootField } from '../support/schema-walk';

export type Recipe =
  /** The id of a node of this type. */
  | { readonly names: 'node'; readonly type: string }
  /** A SIM's identifier. */
  | { readonly names: 'identifier'; readonly of: 'iccid' | 'imsi' }
  /** A text that tenants have of their own; `%` stands for the tenant's mark. */
  | { readonly names: 'text'; readonly template: string }
  /** A cursor of the same list. */
  | { readonly names: 'position' }
  /** Words of the trade and texts that are only stored: nothing of a tenant. A function makes another one for every request. */
  | { readonly names: 'nothing'; readonly value: unknown };

const node = (type: string): Recipe => ({ names: 'node', type });
const text = (template: string): Recipe => ({ names: 'text', template });
const nothing = (value: unknown): Recipe => ({ names: 'nothing', value });

/** By the last word of the argument's path and its type. */
const byWord: Readonly<Record<string, Recipe>> = {
  'client: ID': node('Client'),
  'fleet: ID': node('Fleet'),
  'sim: ID': node('Sim'),
  'sims: ID': node('Sim'),
  'incident: ID': node('Incident'),
  'into: ID': node('Incident'),
  'from: ID': node('Incident'),
  'alert: ID': node('Alert'),
  'alerts: ID': node('Alert'),
  'ids: ID': node('Alert'),
  'anomalies: ID': node('DeviceAnomaly'),
  'blockRequest: ID': node('BlockRequest'),
  'threshold: ID': node('Threshold'),
  'apiKey: ID': node('ApiKey'),
  'backtest: ID': node('Backtest'),
  'iccid: ICCID': { names: 'identifier', of: 'iccid' },
  'iccids: ICCID': { names: 'identifier', of: 'iccid' },
  'iccid: Text': { names: 'identifier', of: 'iccid' },
  'imsi: Text': { names: 'identifier', of: 'imsi' },
  'imsi: IMSI': { names: 'identifier', of: 'imsi' },
  'after: String': { names: 'position' },
  'family: Text': text('%-meter'),
  'search: Text': text('%'),
  'assignee: Text': text('% person'),
  'person: Text': text('% person'),
  'source: Text': text('%-feed'),
  'batchId: Text': text('%-sims'),
  'subject: Text': text('% works'),
  'recordId: Text': text('%-stolen'),
  'eventId: Text': text('%-rejected-1'),
  'sessionId: Text': text('%-session'),
  'idempotencyKey: Text': nothing(once('key')),
  'idempotencyKey: String': nothing(once('key')),
  'detector: ID': nothing('unexpected-network'),
  'detector: Text': nothing('unexpected-network'),
  'kind: Text': nothing('NETWORK_NOT_ALLOWED'),
  'country: Text': nothing('ES'),
  'action: Text': nothing('updateSim'),
  'code: Text': nothing('UNKNOWN_SIM'),
  'type: Text': nothing('REBOOT'),
  'timeZone: Text': nothing('Europe/Madrid'),
  'plmn: PLMN': nothing('206-01'),
  'plmn: Text': nothing('206-01'),
  'visitedPlmn: Text': nothing('206-01'),
  'node: Text': nothing('crawl-node'),
  'rat: Text': nothing('LTE_M'),
  'apn: Text': nothing('crawl.apn'),
  'destination: Text': nothing('crawl.example'),
  'detail: Text': nothing('crawl'),
  'msisdn: Text': nothing('99999999999'),
  'imei: IMEI': nothing('351758100000019'),
  'imei: Text': nothing('351758100000019'),
  'options: JSON': nothing({}),
  'name: Text': nothing(once('crawl')),
  'owner: Text': nothing('crawl'),
  'note: Text': nothing('crawl'),
  'text: Text': nothing('crawl'),
  'title: Text': nothing('crawl'),
  'reason: Text': nothing('crawl'),
};

/** Where the word alone would mislead. */
const byPlace: Readonly<Record<string, Recipe>> = {
  'Query.detector(id)': nothing('unexpected-network'),
  // runs over the whole population are the operator's
  'Query.populationRun(id)': nothing(toGlobalId('PopulationRun', 0, '01a00000-0000-7000-8000-000000000000')),
  'Subscription.detectionRunProgress(runId)': nothing(toGlobalId('PopulationRun', 0, '01a00000-0000-7000-8000-000000000000')),
  'Mutation.registerSims(input.sims.client)': text('% works'),
  'Mutation.registerSims(input.sims.fleet)': text('% fleet 0'),
  // stored as they are given: families and assignees are texts of whoever writes them
  'Mutation.registerSims(input.sims.family)': nothing('crawl'),
  'Mutation.updateSim(input.device.family)': nothing('crawl'),
  'Mutation.updateIncident(input.assignee)': nothing('crawl'),
};

/** Places that a call needs beside what its types require. */
export const alsoGiven: Readonly<Record<string, readonly string[]>> = {
  'Mutation.requestBlock': ['input.sims'],
  'Mutation.unblockSim': ['input.sims'],
  'Mutation.ingestUsage': ['input.idempotencyKey'],
  'Mutation.ingestDialogues': ['input.idempotencyKey'],
  'Mutation.ingestConnectionEvents': ['input.idempotencyKey'],
  'Mutation.ingestDeviceEvents': ['input.idempotencyKey'],
};

/** Values of types that can't name anything; whatever is not here needs a recipe. */
const sampleByType: Readonly<Record<string, (path: string) => unknown>> = {
  Int: (path) => (path === 'first' ? 10 : 5),
  Float: () => 50,
  Boolean: () => false,
  DateTime: (path) => (/(^|\.)(to|endedAt)$/.test(path) ? '2026-11-15T00:00:00Z' : '2026-11-10T00:00:00Z'),
  // a day on which bravo signals, and which is closed
  Date: (path) => (/(^|\.)to$/.test(path) ? '2026-11-15' : /^day$|(^|\.)from$/.test(path) ? '2026-11-13' : '2026-11-14'),
  ByteCount: () => '1000',
  // the first one, OPERATOR, is refused to tenants for what it is
  Role: () => 'CLIENT_VIEWER',
};

/** Whether values of this type could name something of a tenant; an input object can where one of its fields can. */
export function isNaming(schema: GraphQLSchema): (typeName: string) => boolean {
  return function naming(typeName: string): boolean {
    const type = schema.getType(typeName);
    if (isInputObjectType(type)) return Object.values(type.getFields()).some((field) => naming(getNamedType(field.type).name));
    return !Object.hasOwn(sampleByType, typeName) && !isEnumType(type);
  };
}

/** The value of a place that can't name anything. */
export function sampleFor(schema: GraphQLSchema, place: Place): unknown {
  const sample = sampleByType[place.typeName];
  if (sample) return sample(place.path);
  const value = (schema.getType(place.typeName) as GraphQLEnumType).getValues()[0]!.name;
  return place.list ? [value] : value;
}

/** What a place of a root field names; throws where nobody has said. `field`: `Query.sims`, or below the root `Detector.mode`. */
export function recipeFor(schema: GraphQLSchema, field: string, path: string, typeName: string, outputType: string | null): Recipe {
  const place = `${field}(${path})`;
  const type = outputType === null ? null : schema.getType(outputType);
  const known = byPlace[place] ?? byWord[`${path.split('.').at(-1)!}: ${typeName}`];
  if (known) return known;
  if (path === 'id' && typeName === 'ID') {
    if (field === 'Query.node') return node('*');
    if (isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')) return node(type.name);
  }
  throw new Error(`The tenancy crawl has no recipe for ${place}: ${typeName}. Say in test/scenarios/crawl-recipes.ts what it names.`);
}

/** The places of a root field that name something, each with what it names. */
export function namingPlaces(schema: GraphQLSchema, root: RootField): { readonly place: Place; readonly recipe: Recipe }[] {
  const output = getNamedType(root.field.type).name;
  return placesOf(root.field)
    .filter(({ typeName }) => isNaming(schema)(typeName))
    .map((place) => ({ place, recipe: recipeFor(schema, root.name, place.path, place.typeName, output) }));
}

function once(word: string): () => string {
  let count = 0;
  return () => `${word}-${String((count += 1)).padStart(6, '0')}`;
}
