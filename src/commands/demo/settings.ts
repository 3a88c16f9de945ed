/** What each simulated customer has set: data limits per SIM, as the guide asks. */
import type { Population } from '../../../seeds';
import type { ApiClient } from './api-client';

export interface DemoClient {
  readonly id: string;
  readonly name: string;
}

/** Megabytes per SIM and day; a healthy device of the family stays well below. */
const dailyLimitMegabytes: Readonly<Record<string, number>> = {
  'River Research': 20,
  'Volta Charging': 120,
  'Gatekeeper Cameras': 500,
  'Andes Metering': 5,
  'Iberia Tracking': 40,
  'Quiet Elevators': 40,
};

export async function configureClients(operator: ApiClient, population: Population): Promise<DemoClient[]> {
  const { clients } = await operator.graphql<{ clients: { nodes: DemoClient[] } }>('{ clients(first: 100) { nodes { id name } } }');
  const simulated = new Set(population.sims.map((sim) => sim.client));
  const known = clients.nodes.filter((client) => simulated.has(client.name));
  for (const client of known) {
    await operator.graphql(`mutation Limit($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }`, {
      input: {
        client: client.id,
        measure: 'PER_SIM',
        period: 'DAY',
        limitBytes: String((dailyLimitMegabytes[client.name] ?? 100) * 1_000_000),
      },
    });
  }
  return known;
}
