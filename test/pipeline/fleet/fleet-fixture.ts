/** The fleet and access slices on a database of their own, asked over GraphQL, and what they told the other slices. */
import { graphql, type GraphQLError } from 'graphql';
import { container } from 'tsyringe';
import { accessResolvers, ApiKeys, authorise } from '../../../src/access';
import {
  fleetResolvers,
  luhnCheckDigit,
  SettingChangeListener,
  SimMoveListener,
  SimRegistrationListener,
  SimRegistry,
  type RegisteredSim,
  type SimMove,
  type SimRow,
} from '../../../src/fleet';
import { Role, type Caller } from '../../../src/graphql/caller';
import { Database, type Transaction } from '../../../src/database/database';
import { NodeResolver } from '../../../src/graphql/nodes';
import { OperationContext } from '../../../src/graphql/operation-context';
import { toGlobalId } from '../../../src/graphql/global-id';
import { buildGraphqlSchema } from '../../../src/graphql/schema';
import { Clock, Entropy, ManualClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog } from '../../support/database';

export const operator: Caller = {
  role: Role.OPERATOR,
  clientId: 0,
  credentialId: 'operator',
  credentialKind: 'LOCAL',
  name: 'operator',
  person: 'olga',
  expiresAt: null,
  fleetIds: null,
};

export function tenant(clientId: number, role = Role.CLIENT_ADMIN): Caller {
  return {
    ...operator,
    role,
    clientId,
    credentialId: `key-of-${clientId}`,
    credentialKind: 'API_KEY',
    name: `key of ${clientId}`,
    person: `ann-${clientId}`,
  };
}

export class Announcements extends SimRegistrationListener {
  readonly sims: RegisteredSim[] = [];
  simsRegistered(sims: readonly RegisteredSim[]): Promise<void> {
    this.sims.push(...sims);
    return Promise.resolve();
  }
}

export class SettingChanges extends SettingChangeListener {
  readonly simIds: string[] = [];
  settingsChanged(_: Transaction, __: number, simIds: readonly string[] | 'ALL'): Promise<void> {
    this.simIds.push(...(simIds === 'ALL' ? ['ALL'] : simIds));
    return Promise.resolve();
  }
}

export class Moves extends SimMoveListener {
  readonly moves: SimMove[] = [];
  /** Runs in the transaction that closes the old SIM. */
  meanwhile: (tx: Transaction, move: SimMove) => Promise<void> = () => Promise.resolve();
  async simMoved(tx: Transaction, move: SimMove): Promise<void> {
    this.moves.push(move);
    await this.meanwhile(tx, move);
  }
}

export async function openFleet() {
  const opened = await openTestDatabase();
  const { database } = opened;
  const clock = new ManualClock(new Date('2026-11-01T00:00:00Z'));
  const entropy = new SystemEntropy();
  const announced = new Announcements();
  const changes = new SettingChanges();
  const moves = new Moves();
  const scope = container.createChildContainer();
  scope.registerInstance(Database as never, database);
  scope.registerInstance(Clock as never, clock);
  scope.registerInstance(Entropy as never, entropy);
  scope.registerInstance(SimRegistrationListener as never, announced);
  scope.registerInstance(SettingChangeListener as never, changes);
  scope.registerInstance(SimMoveListener as never, moves);
  for (const owner of [...accessResolvers, ...fleetResolvers, ApiKeys, SimRegistry]) scope.registerSingleton(owner as never);
  const schema = await buildGraphqlSchema({
    resolvers: [NodeResolver, ...accessResolvers, ...fleetResolvers],
    container: scope,
    globalMiddlewares: [authorise],
  });

  /** The answer as a client gets it: data, and the codes of top-level errors. */
  async function execute(caller: Caller, source: string, variables: Record<string, unknown> = {}) {
    const contextValue = new OperationContext({ database, clock, entropy, log: testLog }, caller, 'test');
    try {
      const { data, errors } = await graphql({ schema, source, variableValues: JSON.parse(JSON.stringify(variables)), contextValue });
      return { data: JSON.parse(JSON.stringify(data ?? null)), errors: (errors ?? []).map(codeOf) };
    } finally {
      await contextValue.end();
    }
  }
  /** The data; top-level errors fail the test. */
  async function ask(caller: Caller, source: string, variables: Record<string, unknown> = {}) {
    const { data, errors } = await execute(caller, source, variables);
    if (errors.length > 0) throw new Error(`unexpected errors: ${errors.join('; ')}`);
    return data;
  }
  const asOperator = <Row extends object>(sql: string, parameters: unknown[] = []) =>
    database.transaction({ name: 'test.look', role: 'operator' }, (tx) => tx.query<Row>(sql, parameters));
  return {
    database,
    close: () => opened.close(),
    clock,
    entropy,
    announced,
    changes,
    moves,
    registry: scope.resolve(SimRegistry),
    schema,
    execute,
    ask,
    asOperator,
  };
}

function codeOf(error: GraphQLError): string {
  const original = error.originalError as { code?: string } | undefined;
  return original?.code ?? error.message;
}

/** A 20-digit ICCID with its check digit. */
export function iccid(n: number): string {
  const body = `8988303${String(n).padStart(12, '0')}`;
  return body + luhnCheckDigit(body);
}

export function row(line: number, given: Partial<SimRow> = {}): SimRow {
  return {
    line,
    iccid: iccid(line),
    imsi: null,
    msisdn: null,
    client: 'Acme',
    fleet: null,
    family: null,
    imei: null,
    criticality: null,
    ...given,
  };
}

export const clientId = (id: number): string => toGlobalId('Client', id, id);
export const simId = (client: number, sim: string): string => toGlobalId('Sim', client, sim);

/** Acme with SIMs 1 to 3 in Meters, 4 and 5 in Cars; Bolt with SIM 9 in Vans. `sims`: sim_id by number. */
export async function stockFleets(
  fleet: Awaited<ReturnType<typeof openFleet>>,
): Promise<{ acme: number; bolt: number; sims: Record<number, string> }> {
  const given = [1, 2, 3, 4, 5].map((n) =>
    row(n, {
      fleet: n < 4 ? 'Meters' : 'Cars',
      family: n < 4 ? 'M1' : 'C1',
      imsi: `90140510000000${n}`,
      msisdn: `8823600${n}`,
      imei: '490154203237518',
      criticality: n === 5 ? 'CRITICAL' : null,
    }),
  );
  const outcomes = await fleet.registry.register([...given, row(9, { client: 'Bolt', fleet: 'Vans', imsi: '901405100000009' })], operator);
  const sims = Object.fromEntries(outcomes.map((outcome) => [outcome.line, outcome.simId!]));
  return { acme: outcomes[0]!.clientId!, bolt: outcomes[5]!.clientId!, sims };
}
