/** What an operation must pass before it runs, the same over HTTP and WebSocket: syntax, size, who asks, validity, cost. */
import {
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';
import { SimwardenError } from '../errors';
import { Role, type Caller } from './caller';
import { DOCUMENT_LIMITS, documentFaults } from './document-size';
import { MOST_COST, operationCost } from './query-cost';
import { refusal } from './refusal';
import { jsonFault } from './safe-text';

const MOST_DOCUMENTS = 1000;
/** Longer texts are parsed each time: comments cost no token, and a thousand of them would fill the memory. */
const LONGEST_REMEMBERED = 20_000;
const MOST_VARIABLE_DEPTH = 32;

/** Says who may use a root field (`Query.sims`): throws FORBIDDEN. The access slice has the matrix. */
export type Authorize = (caller: Caller, field: string) => void;

export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** An operation that passed. */
export interface Admitted {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** Coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cost: number;
}

export type Verdict =
  | { readonly admitted: Admitted; readonly errors?: undefined }
  | { readonly admitted?: undefined; readonly errors: readonly GraphQLError[] };

export class OperationGate {
  private readonly documents = new Map<string, DocumentNode | GraphQLError>();
  private readonly sizes = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  private readonly validities = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  private readonly introspections = new WeakMap<DocumentNode, readonly GraphQLError[]>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly authorize: Authorize,
  ) {}

  /** Parses (or remembers) a text, then admits it. */
  admitText(request: OperationRequest, caller: Caller | null): Verdict {
    const document = this.parsed(request.query);
    if (document instanceof GraphQLError) return { errors: [document] };
    return this.admit(document, request, caller);
  }

  admit(document: DocumentNode, request: Omit<OperationRequest, 'query'>, caller: Caller | null): Verdict {
    // Size first: no rule of graphql-js sees a document that is too large for it.
    const tooLarge = remember(this.sizes, document, () => documentFaults(document));
    if (tooLarge.length > 0) return { errors: tooLarge };
    const operation = getOperationAST(document, request.operationName);
    // Before validation, whose errors tell of the schema.
    if (!caller && !(operation && asksOnlyTypename(operation, document))) return { errors: [refusal('UNAUTHENTICATED')] };
    const invalid = remember(this.validities, document, () => this.validate(document, specifiedRules));
    if (invalid.length > 0) return { errors: invalid };
    if (!operation) return { errors: [refusal('BAD_REQUEST', { what: operationMissing(request.operationName) })] };
    if (caller) {
      const forbidden = this.forbiddenTo(caller, document, operation);
      if (forbidden.length > 0) return { errors: forbidden };
    }
    return this.withVariables(document, operation, request.variables ?? {});
  }

  private forbiddenTo(caller: Caller, document: DocumentNode, operation: OperationDefinitionNode): readonly GraphQLError[] {
    if (caller.role === Role.EMBED) {
      const introspections = remember(this.introspections, document, () => this.validate(document, [NoSchemaIntrospectionCustomRule]));
      if (introspections.length > 0) return introspections;
    }
    const type = this.schema.getRootType(operation.operation)?.name;
    return rootFields(operation, document).flatMap((node) => {
      const name = node.name.value;
      if (name.startsWith('__')) return [];
      try {
        this.authorize(caller, `${type}.${name}`);
        return [];
      } catch (error) {
        if (!(error instanceof SimwardenError)) throw error;
        return [refusal(error.code, error.details, node)];
      }
    });
  }

  private validate(document: DocumentNode, rules: readonly ValidationRule[]): readonly GraphQLError[] {
    return validate(this.schema, document, rules, { maxErrors: 20, hideSuggestions: true }).map(
      (error) => new GraphQLError(error.message, { nodes: error.nodes, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }),
    );
  }

  private withVariables(document: DocumentNode, operation: OperationDefinitionNode, given: Readonly<Record<string, unknown>>): Verdict {
    const fault = jsonFault(given, MOST_VARIABLE_DEPTH);
    if (fault) return { errors: [refusal('BAD_USER_INPUT', { what: `The variables can't be taken: ${fault}.` })] };
    const { errors, coerced } = getVariableValues(this.schema, operation.variableDefinitions ?? [], given, { maxErrors: 10 });
    if (errors) return { errors: errors.map(asUserInput) };
    const cost = operationCost(this.schema, document, operation, coerced);
    if (cost > MOST_COST) return { errors: [refusal('QUERY_TOO_COSTLY', { given: cost, most: MOST_COST }, operation)] };
    return { admitted: { document, operation, variables: coerced, cost } };
  }

  private parsed(text: string): DocumentNode | GraphQLError {
    let document = this.documents.get(text);
    if (document) {
      this.documents.delete(text);
    } else {
      document = parseText(text);
      if (text.length > LONGEST_REMEMBERED) return document;
      if (this.documents.size >= MOST_DOCUMENTS) this.documents.delete(this.documents.keys().next().value!);
    }
    this.documents.set(text, document);
    return document;
  }
}

function parseText(text: string): DocumentNode | GraphQLError {
  try {
    return parse(text, { maxTokens: DOCUMENT_LIMITS.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return new GraphQLError(error.message, {
      source: error.source,
      positions: error.positions,
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    });
  }
}

function remember<Value>(memory: WeakMap<DocumentNode, Value>, document: DocumentNode, make: () => Value): Value {
  let value = memory.get(document);
  if (value === undefined) {
    value = make();
    memory.set(document, value);
  }
  return value;
}

function asUserInput(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, { nodes: error.nodes, extensions: { code: 'BAD_USER_INPUT' } });
}

function operationMissing(name: string | null | undefined): string {
  return name
    ? `The document has no operation "${name.slice(0, 80)}".`
    : 'The document has several operations; say which with `operationName`.';
}

/** Whether an operation asks for nothing but `__typename`: all that needs no credential. Nothing else may stand in the document to be probed. */
function asksOnlyTypename(operation: OperationDefinitionNode, document: DocumentNode): boolean {
  return (
    document.definitions.length === 1 &&
    !operation.variableDefinitions?.length &&
    !operation.directives?.length &&
    operation.selectionSet.selections.every(
      (selection) =>
        selection.kind === Kind.FIELD && selection.name.value === '__typename' && !selection.selectionSet && !selection.arguments?.length,
    )
  );
}

/** The root fields of an operation, through its fragments, each fragment once. */
export function rootFields(operation: OperationDefinitionNode, document: DocumentNode): FieldNode[] {
  const fields: FieldNode[] = [];
  const seen = new Set<string>();
  const collect = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) fields.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = document.definitions.find(
          (node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === selection.name.value,
        );
        if (fragment?.kind === Kind.FRAGMENT_DEFINITION) collect(fragment.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  return fields;
}
