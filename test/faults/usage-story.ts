/** The main story of the product in small: a SIM of a customer uses more than its limit. What it must lead to, asked through the public door. */
import type { ApiClient } from '../../src/commands/demo/api-client';

export const OPERATOR_KEY = 'operator-key-of-the-faults-0123456789';
/** A day that lies wholly in the reach of the servers' clocks. */
export const DAY = '2026-11-14';
export const LIMIT_BYTES = 1_000_000;
export const SPENT_BYTES = 3_000_000;

export function iccidOf(number: number): string {
  return `8934${String(number).padStart(15, '0')}`;
}

export interface Customer {
  readonly id: string;
  readonly name: string;
  /** A viewer's key: what its portal subscribes with. */
  readonly key: string;
}

/** Registers SIMs `from`, `from` + 1, … for a customer and gives each a daily limit. */
export async function makeCustomer(operator: ApiClient, name: string, from: number, sims: number): Promise<Customer> {
  const rows = Array.from({ length: sims }, (_, index) => `${iccidOf(from + index)},${name},meters,meter\n`).join('');
  await operator.ingest('sims', `iccid,client,fleet,family\n${rows}`, `sims of ${name}`);
  const { clients } = await operator.graphql<{ clients: { nodes: { id: string; name: string }[] } }>(
    '{ clients(first: 100) { nodes { id name } } }',
  );
  const { id } = clients.nodes.find((client) => client.name === name)!;
  await operator.graphql('mutation Limit($input: SetThresholdInput!) { setThreshold(input: $input) { userErrors { message } } }', {
    input: { client: id, measure: 'PER_SIM', period: 'DAY', limitBytes: String(LIMIT_BYTES) },
  });
  const { createApiKey } = await operator.graphql<{ createApiKey: { secret: string } }>(
    'mutation Key($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }',
    { input: { client: id, role: 'CLIENT_VIEWER', name: 'portal', owner: name } },
  );
  return { id, name, key: createApiKey.secret };
}

export const USAGE_HEADER = 'record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n';

/** Three times the limit, half of it in each of two hours. */
export function usageRow(number: number): string {
  return `record-${number},${iccidOf(number)},${DAY}T10:30:00Z,${DAY}T11:30:00Z,${SPENT_BYTES / 3},${(2 * SPENT_BYTES) / 3}\n`;
}

export interface IngestAnswer {
  readonly status: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** Sends records in one batch; null where the connection broke before an answer came. */
export async function sendUsage(url: string, idempotencyKey: string, ...numbers: readonly number[]): Promise<IngestAnswer | null> {
  let response: Response;
  try {
    response = await fetch(new URL('/ingest/usage', url), {
      method: 'POST',
      headers: {
        'content-type': 'text/csv',
        authorization: `Bearer ${OPERATOR_KEY}`,
        'idempotency-key': idempotencyKey,
        'simwarden-source': 'core network',
      },
      body: USAGE_HEADER + numbers.map(usageRow).join(''),
    });
  } catch {
    return null;
  }
  return { status: response.status, ...((await response.json()) as Omit<IngestAnswer, 'status'>) };
}

interface AlertNode {
  readonly id: string;
  readonly detector: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly occurrenceCount: number;
}

/** All that is stored of a SIM. */
export interface SimState {
  readonly recordIds: readonly string[];
  readonly hours: readonly string[];
  readonly clientBytes: string;
  readonly alerts: readonly AlertNode[];
  readonly incidents: readonly { readonly id: string; readonly alerts: readonly string[] }[];
}

const simStateQuery = `query SimState($iccid: ICCID!) {
  simByIccid(iccid: $iccid) {
    id
    client { id }
    alerts(first: 10) { nodes { id detector kind severity state occurrenceCount } }
    incidents(first: 10) { nodes { id alerts(first: 10) { nodes { id } } } }
  }
}`;
const usageQuery = `query SimUsage($sim: ID!, $client: ID!, $from: DateTime!, $to: DateTime!) {
  usageRecords(filter: { sim: $sim }, first: 100) { nodes { recordId } }
  ofSim: usageByTime(scope: { sim: $sim }, from: $from, to: $to, granularity: HOUR) { from totalBytes }
  ofClient: usageByTime(scope: { client: $client }, from: $from, to: $to, granularity: DAY) { totalBytes }
}`;

export async function readSim(operator: ApiClient, number: number): Promise<SimState> {
  const { simByIccid: sim } = await operator.graphql<{
    simByIccid: {
      id: string;
      client: { id: string };
      alerts: { nodes: AlertNode[] };
      incidents: { nodes: { id: string; alerts: { nodes: { id: string }[] } }[] };
    };
  }>(simStateQuery, { iccid: iccidOf(number) });
  const span = { from: `${DAY}T00:00:00Z`, to: `${DAY}T23:59:59Z` };
  const usage = await operator.graphql<{
    usageRecords: { nodes: { recordId: string }[] };
    ofSim: { from: string; totalBytes: string }[];
    ofClient: { totalBytes: string }[];
  }>(usageQuery, { sim: sim.id, client: sim.client.id, ...span });
  return {
    recordIds: usage.usageRecords.nodes.map(({ recordId }) => recordId),
    hours: usage.ofSim.filter(({ totalBytes }) => totalBytes !== '0').map(({ from, totalBytes }) => `${from.slice(11, 16)} ${totalBytes}`),
    clientBytes: usage.ofClient[0]!.totalBytes,
    alerts: sim.alerts.nodes,
    incidents: sim.incidents.nodes.map(({ id, alerts }) => ({ id, alerts: alerts.nodes.map((alert) => alert.id) })),
  };
}

/** What a SIM's record must have led to, whatever happened on its way. */
export function expectedState(number: number, simsWithUsage: number): object {
  return {
    recordIds: [`record-${number}`],
    hours: [`10:00 ${SPENT_BYTES / 2}`, `11:00 ${SPENT_BYTES / 2}`],
    clientBytes: String(simsWithUsage * SPENT_BYTES),
    alerts: [{ detector: 'threshold', kind: 'DAILY_LIMIT', severity: 'CRITICAL', occurrenceCount: 1 }],
    incidents: [{ alerts: [expect.any(String)] }],
  };
}
