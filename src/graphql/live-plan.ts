/** A subscription once it is understood: which live field, for which events, and the key of those who share its executions. */
import { getArgumentValues, Kind, visit, type DocumentNode, type FieldNode, type GraphQLSchema } from 'graphql';
import { isOperator, type Caller } from './caller';
import { canonicalJson } from './canonical-json';
import { liveFields, type LiveField, type LoggedEvent } from './live';
import { rootFields, type Admitted, type OperationRequest } from './operation-gate';
import { refusal } from './refusal';

/** Document and variables are kept as long as anybody subscribes. */
const MOST_KEY_CHARACTERS = 64_000;

export interface LivePlan {
  /** Everything a result can depend on: document, operation, variables without `after`, client, role, fleets, kind of credential. */
  readonly key: string;
  readonly field: LiveField;
  readonly document: DocumentNode;
  readonly operationName: string | null;
  /** Raw variables for execution, `after` made neutral. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}

export function planLive(
  schema: GraphQLSchema,
  request: OperationRequest,
  admitted: Admitted,
  caller: Caller,
): { readonly plan: LivePlan; readonly after: string | null } {
  const node = rootFields(admitted.operation, admitted.document)[0]!;
  const field = liveFields.get(node.name.value);
  const definition = schema.getSubscriptionType()?.getFields()[node.name.value];
  if (!field || !definition) throw refusal('BAD_REQUEST', { what: `"${node.name.value}" is not served live.` }, node);
  const { after, ...args } = getArgumentValues(definition, node, admitted.variables);
  const cursorVariable = variableOfAfterAlone(node, admitted.document);
  const key = canonicalJson([
    request.query,
    request.operationName ?? null,
    cursorVariable ? { ...admitted.variables, [cursorVariable]: null } : admitted.variables,
    caller.clientId,
    caller.role,
    caller.fleetIds && [...caller.fleetIds].sort(),
    caller.credentialKind,
  ]);
  if (key.length > MOST_KEY_CHARACTERS)
    throw refusal('QUERY_TOO_LARGE', { what: 'characters with its variables', given: key.length, most: MOST_KEY_CHARACTERS }, node);
  const plan: LivePlan = {
    key,
    field,
    document: admitted.document,
    operationName: request.operationName ?? null,
    variables: neutralised(request.variables ?? {}, cursorVariable, admitted),
    args,
    caller,
  };
  return { plan, after: typeof after === 'string' ? after : null };
}

/** The variable that gives `after` and nothing else: clients that differ only in where they resume then share one group. */
function variableOfAfterAlone(node: FieldNode, document: DocumentNode): string | null {
  const value = node.arguments?.find((argument) => argument.name.value === 'after')?.value;
  if (value?.kind !== Kind.VARIABLE) return null;
  const name = value.name.value;
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: (variable) => {
      if (variable.name.value === name) uses += 1;
    },
  });
  return uses === 1 ? name : null;
}

function neutralised(given: Readonly<Record<string, unknown>>, variable: string | null, admitted: Admitted): Record<string, unknown> {
  if (variable === null) return { ...given };
  const declared = admitted.operation.variableDefinitions?.find((definition) => definition.variable.name.value === variable);
  return { ...given, [variable]: declared?.type.kind === Kind.NON_NULL_TYPE ? '' : null };
}

/** Whether an event is for this plan's callers at all, and passes their filter. */
export function concerns(plan: LivePlan, event: LoggedEvent): boolean {
  const { caller } = plan;
  if (event.type !== plan.field.eventType) return false;
  if (!isOperator(caller) && event.clientId !== caller.clientId) return false;
  if (caller.fleetIds !== null && !caller.fleetIds.includes(String(event.attributes['fleetId'] ?? ''))) return false;
  return plan.field.matches(event, plan.args);
}
