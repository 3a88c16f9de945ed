/** Asks every root field everything, as anybody, with anybody's ids: the crawl of the tenancy scenarios. */
import { getNamedType, type GraphQLSchema } from 'graphql';
import { permissions } from '../../src/access/permissions';
import { Role } from '../../src/graphql/caller';
import { parseGlobalId, toGlobalId } from '../../src/graphql/global-id';
import {
  documentsFor,
  rootFieldsOf,
  variablesFor,
  type NestedArgument,
  type Operation,
  type RootField,
  type WalkedDocument,
} from '../support/schema-walk';
import { alsoGiven, isNaming, namingPlaces, recipeFor, sampleFor, type Recipe } from './crawl-recipes';
import { unknownIccid, type Tenant } from './two-tenants';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A question: one root field with one set of values. */
export interface Question {
  readonly root: RootField;
  /** `Query.alerts(filter.sim)`, or the root field alone. */
  readonly about: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What was given that names something; taken out of answers before they are compared, since some answers repeat it. */
  readonly given: readonly string[];
  readonly documents: readonly WalkedDocument[];
}

/** What a tenant has, as its own answers showed it. */
export class Belongings {
  readonly ids = new Map<string, Set<string>>();
  readonly cursors = new Map<string, string>();

  constructor(readonly tenant: Tenant) {}

  /** Learns the ids and cursors in an answer to a question. */
  learn(root: RootField, body: string): void {
    for (const [, text] of body.matchAll(/"([A-Za-z0-9_-]{8,1400})"/g)) {
      const id = parseGlobalId(text!);
      if (id?.clientId !== this.tenant.clientId) continue;
      const known = this.ids.get(id.type) ?? new Set();
      this.ids.set(id.type, known.add(text!));
    }
    const cursor = pageInfoOf(root, body)?.endCursor;
    if (cursor && !this.cursors.has(root.name)) this.cursors.set(root.name, cursor);
  }

  idsOf(type: string): string[] {
    return [...(type === '*' ? [...this.ids.values()].flatMap((ids) => [...ids]) : (this.ids.get(type) ?? []))];
  }

  /** Values for a recipe that name something of this tenant. */
  values(recipe: Recipe, root: RootField): unknown[] {
    switch (recipe.names) {
      case 'node':
        return this.idsOf(recipe.type);
      case 'identifier':
        return this.tenant.sims.map((sim) => sim[recipe.of]);
      case 'text':
        return [recipe.template.replace('%', this.tenant.mark)];
      case 'position':
        return this.cursors.has(root.name) ? [this.cursors.get(root.name)] : [];
      case 'nothing':
        return [typeof recipe.value === 'function' ? (recipe.value as () => unknown)() : recipe.value];
    }
  }

  /** Values of the same shape that name nothing anywhere: an unknown key of this tenant, its keys at another client, another client altogether. */
  missing(recipe: Recipe, root: RootField, otherClientId: number): unknown[] {
    switch (recipe.names) {
      case 'node':
        return spread(this.idsOf(recipe.type), 2).flatMap((id) => missingLike(id, otherClientId));
      case 'identifier':
        return recipe.of === 'iccid' ? [unknownIccid(8), unknownIccid(9)] : ['901409999999999', '901408888888888'];
      case 'text':
        return [recipe.template.replace('%', 'gamma'), recipe.template.replace('%', 'delta')];
      default:
        return this.values(recipe, root);
    }
  }
}

function missingLike(id: string, otherClientId: number): string[] {
  const { type, clientId, key } = parseGlobalId(id)!;
  if (type === 'Client')
    return [toGlobalId('Client', 9, 9), toGlobalId('Client', clientId, 9), toGlobalId('Client', otherClientId, clientId)];
  const unknown = key.replace(/[0-9a-z]{1,6}(?=[^0-9a-z]*$)/i, (end) =>
    end.replace(/[0-9]/g, (digit) => String(9 - Number(digit))).replace(/[a-z]/gi, (letter) => (letter === 'e' ? 'd' : 'e')),
  );
  return [toGlobalId(type, clientId, unknown), toGlobalId(type, otherClientId, key), toGlobalId(type, 9, key)];
}

/** At most `count` of them, from the first to the last. */
export function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count || count < 2) return items.slice(0, count);
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}

export class Crawl {
  readonly roots: readonly RootField[];

  constructor(
    private readonly url: string,
    private readonly schema: GraphQLSchema,
    private readonly size: { readonly queryDepth: number; readonly first: number } = { queryDepth: 5, first: 10 },
  ) {
    this.roots = rootFieldsOf(schema);
  }

  rootsOf(operation: Operation): RootField[] {
    return this.roots.filter((root) => root.operation === operation);
  }

  /** The plain question: what is required with the asker's own values, nothing else. Null while the asker is not known to have what it needs. */
  plain(root: RootField, own: Belongings): Question | null {
    return this.ask(root, own, new Map(), root.name);
  }

  /** For every place that names something, below the root too: a question for each value, all other places being the asker's own. */
  about(
    root: RootField,
    own: Belongings,
    valuesFor: (recipe: Recipe, root: RootField) => readonly unknown[],
    kinds: readonly Recipe['names'][],
  ): Question[] {
    const atRoot = namingPlaces(this.schema, root)
      .filter(({ recipe }) => kinds.includes(recipe.names))
      .flatMap(({ place, recipe }) =>
        valuesFor(recipe, root).map((value) => this.ask(root, own, new Map([[place.path, value]]), `${root.name}(${place.path})`)),
      );
    if (root.name === 'Query.node') return atRoot.filter((question) => question !== null);
    const below = this.nestedOf(root, own).flatMap(({ path, variable, argument }) => {
      const [field, name] = path.slice(0, -1).split('(') as [string, string];
      const recipe = recipeFor(this.schema, field, name, getNamedType(argument.type).name, null);
      if (!kinds.includes(recipe.names)) return [];
      return valuesFor(recipe, root).map((value) => this.ask(root, own, new Map([[`$${variable}`, value]]), `${root.name} ${path}`));
    });
    return [...atRoot, ...below].filter((question) => question !== null);
  }

  private nestedOf(root: RootField, own: Belongings): NestedArgument[] {
    const all = this.plain(root, own)?.documents.flatMap(({ nested }) => nested) ?? [];
    return [...new Map(all.map((nested) => [nested.variable, nested])).values()];
  }

  private ask(root: RootField, own: Belongings, chosen: ReadonlyMap<string, unknown>, about: string): Question | null {
    const recipes = new Map(namingPlaces(this.schema, root).map(({ place, recipe }) => [place.path, recipe]));
    const given: string[] = [];
    let lacks = false;
    const variables = variablesFor(root.field, (place) => {
      const recipe = recipes.get(place.path);
      const wanted =
        chosen.has(place.path) || place.required || place.path === 'first' || (alsoGiven[root.name] ?? []).includes(place.path);
      if (!wanted || this.isSetAside(root, place.path, chosen)) return undefined;
      if (!recipe) return place.path === 'first' ? this.size.first : sampleFor(this.schema, place);
      const value = chosen.get(place.path) ?? own.values(recipe, root)[0];
      if (value === undefined) lacks = true;
      for (const one of Array.isArray(value) ? value : [value]) if (typeof one === 'string') given.push(one);
      return place.list && !Array.isArray(value) ? [value] : value;
    });
    if (lacks) return null;
    for (const [name, value] of chosen) {
      if (!name.startsWith('$')) continue;
      variables[name.slice(1)] = value;
      given.push(String(value));
    }
    const nodeType = root.name === 'Query.node' ? parseGlobalId(String(variables['id']))?.type : undefined;
    return { root, about, variables, given, documents: this.documents(root, variables, nodeType) };
  }

  /** SIMs are chosen by ids or by a filter, never by both. */
  private isSetAside(root: RootField, path: string, chosen: ReadonlyMap<string, unknown>): boolean {
    return (
      (alsoGiven[root.name] ?? []).includes(path) &&
      !chosen.has(path) &&
      [...chosen.keys()].some((other) => other.startsWith('input.filter.'))
    );
  }

  private readonly walked = new Map<string, WalkedDocument[]>();

  private documents(root: RootField, variables: Question['variables'], only?: string): WalkedDocument[] {
    const key = `${root.name} ${only ?? ''}`;
    let documents = this.walked.get(key);
    if (!documents) {
      const depth = root.operation === 'query' ? this.size.queryDepth : 3;
      documents = documentsFor(this.schema, root, {
        depth,
        isNaming: isNaming(this.schema),
        variables,
        ...(only ? { only } : {}),
      });
      if (root.operation !== 'query' && documents.length > 1) throw new Error(`${root.name} is too large for one document`);
      this.walked.set(key, documents);
    }
    return documents;
  }

  /** The answers to a question, one per document. `key`: null asks without any. */
  async answers(question: Question, key: string | null): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const { text } of question.documents) answers.push(await this.post(text, question.variables, key));
    return answers;
  }

  async post(query: string, variables: object, key: string | null): Promise<Answer> {
    const response = await fetch(new URL('/graphql', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, body: await response.text() };
  }
}

/** The answer without what the question gave: what is left is all that it can tell. */
export function without(given: readonly string[], { status, body }: Answer): string {
  return given.reduce((text, value) => text.replaceAll(value, '<given>'), `${status} ${body}`);
}

/** Whether a customer's admin may use a root field; what a test adds to the API is for all. */
export function isForAdmins(name: string): boolean {
  return permissions[name]?.includes(Role.CLIENT_ADMIN) ?? true;
}

/** Learns all that a tenant has, from all lists that it may read, page after page: first the lists that need nothing to be named, then those of each of its SIMs. */
export async function takeStock(url: string, schema: GraphQLSchema, tenant: Tenant): Promise<Belongings> {
  const crawl = new Crawl(url, schema, { queryDepth: 3, first: 100 });
  const own = new Belongings(tenant);
  const roots = crawl
    .rootsOf('query')
    .filter(({ name, field }) => !field.args.some((argument) => argument.name === 'id') && isForAdmins(name));
  const needsNaming = (root: RootField): boolean => namingPlaces(schema, root).some(({ place }) => place.required);
  for (const root of roots.filter((one) => !needsNaming(one))) await learnAll(crawl, own, crawl.plain(root, own)!);
  for (const root of roots.filter(needsNaming)) {
    for (const question of crawl.about(root, own, (recipe) => own.values(recipe, root), ['node'])) await learnAll(crawl, own, question);
  }
  return own;
}

async function learnAll(crawl: Crawl, own: Belongings, question: Question): Promise<void> {
  for (let after: string | null = null, more = true; more;) {
    const variables = after === null ? question.variables : { ...question.variables, after };
    more = false;
    for (const { status, body } of await crawl.answers({ ...question, variables }, own.tenant.keys.CLIENT_ADMIN)) {
      if (status !== 200 || body.includes('"errors":'))
        throw new Error(`${question.about} ${JSON.stringify(variables)}: ${body.slice(0, 500)}`);
      own.learn(question.root, body);
      const page = pageInfoOf(question.root, body);
      if (page?.hasNextPage) [after, more] = [page.endCursor, true];
    }
  }
}

function pageInfoOf({ field }: RootField, body: string): { readonly hasNextPage: boolean; readonly endCursor: string } | undefined {
  const { data } = JSON.parse(body) as { data: Record<string, { pageInfo?: { hasNextPage: boolean; endCursor: string } } | null> };
  return data[field.name]?.pageInfo;
}
