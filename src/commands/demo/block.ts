/** The end of the stolen SIM's story: an operator looks at its incident, asks what a block would do, and blocks it. */
import type { Population } from '../../../seeds';
import type { App } from '../../app';
import type { ApiClient } from './api-client';

interface StolenSim {
  readonly id: string;
  readonly iccid: string;
  readonly blockState: string;
  readonly incidents: {
    readonly nodes: readonly {
      readonly id: string;
      readonly title: string;
      readonly proposedRootCause: string;
      readonly proposedEvidence: readonly { readonly text: string }[];
    }[];
  };
}

const lookQuery = `query Look($iccid: ICCID!) {
  simByIccid(iccid: $iccid) {
    id iccid blockState
    incidents(first: 1) { nodes { id title proposedRootCause proposedEvidence { text } } }
  }
}`;

export async function blockStolenSim(app: App, operator: ApiClient, population: Population, print: (line: string) => void): Promise<void> {
  const iccid = population.stories.find((story) => story.kind === 'STOLEN_SIM')?.iccids[0];
  const { simByIccid: sim } = await operator.graphql<{ simByIccid: StolenSim | null }>(lookQuery, { iccid });
  const incident = sim?.incidents.nodes[0];
  if (!sim || !incident) {
    print('The stolen SIM has no incident; nothing is blocked.');
    return;
  }
  print(`\nIncident: ${incident.title}\n  proposed root cause: ${incident.proposedRootCause}`);
  for (const evidence of incident.proposedEvidence) print(`    ${evidence.text}`);
  const { requestBlock } = await operator.graphql<{
    requestBlock: { blockRequest: { id: string; impact: { simCount: number; criticalCount: number; bytesLast24Hours: string } } };
  }>(
    `mutation Ask($input: RequestBlockInput!) {
      requestBlock(input: $input) { blockRequest { id impact { simCount criticalCount bytesLast24Hours } } userErrors { message } }
    }`,
    { input: { sims: [sim.id], mode: 'PERMANENT_REJECT', reason: 'Stolen: another device, streaming video', incident: incident.id } },
  );
  const { impact, id } = requestBlock.blockRequest;
  print(
    `Block requested: ${impact.simCount} SIM, ${impact.criticalCount} critical, ${(Number(impact.bytesLast24Hours) / 1e9).toFixed(1)} GB in the last 24 hours.`,
  );
  await operator.graphql(`mutation Confirm($input: ConfirmBlockInput!) { confirmBlock(input: $input) { userErrors { message } } }`, {
    input: { blockRequest: id },
  });
  await app.settle();
  const after = await operator.graphql<{ simByIccid: { blockState: string } }>(lookQuery, { iccid });
  print(`Confirmed. The SIM is ${after.simByIccid.blockState}.`);
}
