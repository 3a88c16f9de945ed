/** Fleet, alerts and incidents over GraphQL, on a database with two clients; detection is played by a story per client. */
import { graphql } from 'graphql';
import { container } from 'tsyringe';
import { authorise } from '../../../src/access';
import { alertResolvers, AlertChangeListener } from '../../../src/alerts';
import { Database } from '../../../src/database/database';
import { SettingChangeListener, SimMoveListener, SimRegistrationListener } from '../../../src/fleet';
import { Role, type Caller } from '../../../src/graphql/caller';
import { toGlobalId } from '../../../src/graphql/global-id';
import { NodeResolver } from '../../../src/graphql/nodes';
import { OperationContext } from '../../../src/graphql/operation-context';
import { buildGraphqlSchema } from '../../../src/graphql/schema';
import { Correlator, incidentResolvers } from '../../../src/incidents';
import { Clock, Entropy, ManualClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog } from '../../support/database';
import { IncidentStory } from '../incidents/incident-story';
import { day } from './alert-story';

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

export function tenant(clientId: number, role = Role.CLIENT_ADMIN, fleetIds: string[] | null = null): Caller {
  return {
    ...operator,
    role,
    clientId,
    credentialId: `key-of-${clientId}`,
    credentialKind: 'API_KEY',
    name: `key of ${clientId}`,
    person: 'ana',
    fleetIds,
  };
}

class SettingChanges extends SettingChangeListener {
  readonly told: (readonly string[] | 'ALL')[] = [];
  settingsChanged(_: unknown, __: number, simIds: readonly string[] | 'ALL'): Promise<void> {
    this.told.push(simIds);
    return Promise.resolve();
  }
}

export async function openAlertHouse() {
  const db = await openTestDatabase();
  const { database } = db;
  const clock = new ManualClock(day(1.5));
  const entropy = new SystemEntropy();
  const settings = new SettingChanges();
  const scope = container.createChildContainer();
  scope.registerInstance(Database as never, database);
  scope.registerInstance(Clock as never, clock);
  scope.registerInstance(Entropy as never, entropy);
  scope.registerInstance(SettingChangeListener as never, settings);
  scope.registerInstance(SimMoveListener as never, {});
  scope.registerInstance(SimRegistrationListener as never, {});
  scope.register(AlertChangeListener as never, { useToken: Correlator });
  const resolvers = [...alertResolvers, ...incidentResolvers];
  for (const resolver of [Correlator, ...resolvers]) scope.registerSingleton(resolver as never);
  const schema = await buildGraphqlSchema({ resolvers: [NodeResolver, ...resolvers], container: scope, globalMiddlewares: [authorise] });
  /** The data; top-level errors fail the test. */

  async function ask(caller: Caller, source: string, variableValues: Record<string, unknown> = {}): Promise<any> {
    const contextValue = new OperationContext({ database, clock, entropy, log: testLog }, caller, 'test');
    try {
      const { data, errors } = await graphql({ schema, source, variableValues: JSON.parse(JSON.stringify(variableValues)), contextValue });
      if (errors) throw errors[0]!.originalError ?? errors[0]!;
      return JSON.parse(JSON.stringify(data));
    } finally {
      await contextValue.end();
    }
  }
  const newClient = (name: string): Promise<IncidentStory> => IncidentStory.ofNewClient(database, name);
  const idOf = (type: string, story: IncidentStory, key: string | number): string => toGlobalId(type, story.alerts.clientId, key);
  return { database, close: () => db.close(), clock, settings, schema, scope, ask, newClient, idOf };
}

export type AlertHouse = Awaited<ReturnType<typeof openAlertHouse>>;
