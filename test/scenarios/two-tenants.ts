/** Two customers of one house, alfa and bravo, with rows in every table: what the tenancy scenarios stand on. All comes in by the public door. */
import { defineDetector } from 'simwarden/detector';
import type { TestDatabase } from '../support/database';
import { startTestApp, type TestApp } from '../support/app';
import { ApiClient } from '../../src/commands/demo/api-client';

/** It stands still, so that the same question has the same answer before and after bravo came. */
export const NOW = new Date('2026-11-15T00:00:00Z');
export const TENANT_ROLES = ['CLIENT_ADMIN', 'CLIENT_OPERATOR', 'CLIENT_VIEWER', 'INGEST', 'EMBED'] as const;
export type TenantRole = (typeof TENANT_ROLES)[number];

/** What tells the two apart; every name of a tenant carries its mark. */
interface Plan {
  readonly mark: 'alfa' | 'bravo';
  readonly digit: number;
  readonly plmn: string;
  readonly foreignPlmn: string;
  /** When its devices signal: each on a day of its own, since a population run says of all clients of its day. */
  readonly signalingDay: string;
}

const plans: Readonly<Record<'alfa' | 'bravo', Plan>> = {
  alfa: { mark: 'alfa', digit: 3, plmn: '214-07', foreignPlmn: '310-410', signalingDay: '2026-11-12' },
  bravo: { mark: 'bravo', digit: 7, plmn: '262-01', foreignPlmn: '440-10', signalingDay: '2026-11-13' },
};

export interface TenantSim {
  readonly iccid: string;
  readonly imsi: string;
  readonly msisdn: string;
  readonly imei: string;
}

export interface Tenant extends Plan {
  readonly clientId: number;
  readonly id: string;
  readonly sims: readonly TenantSim[];
  readonly keys: Readonly<Record<TenantRole, string>>;
  /** A second person's admin key, for what must not be decided by one. */
  readonly secondAdmin: string;
  readonly revokedKey: string;
}

const SIMS = 6;
const FIRST_DAY = 3;
const LAST_DAY = 14;
/** bravo's sequence numbers start here: a number in an answer is unmistakably bravo's. */
export const BRAVO_SIM_IDS_FROM = 7_700_000_001;

/** Fails whenever it is asked about one tenant's SIMs, so that failed runs and a detector that was switched off are there to be seen. */
const failing = defineDetector({
  meta: {
    id: 'always-fails',
    version: '1.0.0',
    contract: 1,
    title: 'Always fails',
    summary: 'Fails.',
    limits: 'Finds nothing.',
    input: 'usage',
    needs: ['dayUplinkBytes'],
    decides: 'itself',
    scope: 'client',
    options: { type: 'object', additionalProperties: false, properties: {} },
    kinds: [{ id: 'NOTHING', title: 'Nothing', severity: 'INFO', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' }],
  },
  detect() {
    throw new Error('It always does.');
  },
});

export interface TwoTenants {
  readonly house: TestApp;
  readonly alfa: Tenant;
  readonly bravo: Tenant;
}

export interface TwoTenantsOptions {
  readonly testDatabase?: TestDatabase;
  readonly workers?: boolean;
  /** Called when alfa is whole and bravo is but a client with a fleet. */
  readonly beforeBravo?: (house: TestApp, alfa: Tenant) => Promise<void>;
}

export async function openTwoTenants(options: TwoTenantsOptions = {}): Promise<TwoTenants> {
  const house = await startTestApp({
    now: NOW,
    workers: options.workers ?? false,
    detectors: [failing],
    ...(options.testDatabase ? { testDatabase: options.testDatabase } : {}),
  });
  const alfa = await admitTenant(house, plans.alfa);
  await bumpSimIds(house);
  const bravo = await admitTenant(house, plans.bravo);
  await furnish(house, alfa);
  await options.beforeBravo?.(house, alfa);
  await furnish(house, bravo);
  return { house, alfa, bravo };
}

async function bumpSimIds({ app }: TestApp): Promise<void> {
  await app.database.transaction({ name: 'test.sequence', role: 'owner' }, (tx) =>
    tx.query(`ALTER SEQUENCE sim_id RESTART WITH ${BRAVO_SIM_IDS_FROM}`),
  );
}

/** The client, its SIMs in two fleets, and a key for each role. */
async function admitTenant(house: TestApp, plan: Plan): Promise<Tenant> {
  const { mark } = plan;
  const sims = Array.from({ length: SIMS }, (_, i) => simOf(plan, i));
  const rows = sims.map((sim, i) =>
    [
      sim.iccid,
      sim.imsi,
      sim.msisdn,
      `${mark} works`,
      `${mark} fleet ${i % 2}`,
      `${mark}-meter`,
      sim.imei,
      i === 5 ? 'CRITICAL' : 'NORMAL',
    ].join(','),
  );
  await house.operator.ingest('sims', ['iccid,imsi,msisdn,client,fleet,family,imei,criticality', ...rows, ''].join('\n'), `${mark}-sims`);
  const id = await house.clientId(`${mark} works`);
  const clientId = Number(Buffer.from(id, 'base64url').toString().split(':')[1]);
  await house.operator.graphql(`mutation Loosen($input: UpdateClientInput!) { updateClient(input: $input) { userErrors { message } } }`, {
    input: { client: id, maxBlockPercentPerHour: 100, billingCycleDay: 1 },
  });
  const keys = {} as Record<TenantRole, string>;
  for (const role of TENANT_ROLES) keys[role] = await house.keyFor(`${mark} works`, role, `${mark} person`);
  const secondAdmin = await house.keyFor(`${mark} works`, 'CLIENT_ADMIN', `${mark} second person`);
  return { ...plan, clientId, id, sims, keys, secondAdmin, revokedKey: await revokedKey(house, mark, id) };
}

async function revokedKey(house: TestApp, mark: string, client: string): Promise<string> {
  const { createApiKey } = await house.operator.graphql<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
    `mutation Key($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } userErrors { message } } }`,
    { input: { client, role: 'CLIENT_ADMIN', name: `${mark} lost laptop`, owner: `${mark} person` } },
  );
  await house.operator.graphql(`mutation Revoke($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { userErrors { message } } }`, {
    input: { apiKey: createApiKey.apiKey.id },
  });
  return createApiKey.secret;
}

function simOf({ digit }: Plan, i: number): TenantSim {
  return {
    iccid: withLuhnDigit(`898830${digit}0000000001${i}`),
    imsi: `90140${digit}00000000${i}`,
    msisdn: `88230${digit}000000${i}`,
    imei: withLuhnDigit(`3517581000${digit}00${i}`),
  };
}

function withLuhnDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

/** Limits, telemetry with something wrong in it, what was found, and what people did about it. */
async function furnish(house: TestApp, tenant: Tenant): Promise<void> {
  const admin = new ApiClient(house.url, tenant.keys.CLIENT_ADMIN);
  const ids = await idsOf(admin);
  await setLimits(admin, tenant, ids);
  await sendTelemetry(house, tenant);
  await house.app.settle();
  await judgePopulation(house, admin, tenant);
  await handleAlerts(admin, tenant, ids);
  await tryDetectors(admin, ids);
  await blockSims(house, admin, tenant, ids);
  await house.app.settle();
  // left unsettled, so that what waits for a worker is there to be looked at too
  const { sims, mark } = tenant;
  await postCsv(
    house,
    tenant,
    'usage',
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${mark}-late,${sims[4]!.iccid},2026-11-14T21:00:00Z,2026-11-14T22:00:00Z,7,7\n`,
  );
  await mutate(admin, 'addIncidentNote', { incident: await anIncident(admin), text: `${mark} note that waits` });
}

interface TenantIds {
  readonly sims: readonly string[];
  readonly fleets: readonly string[];
}

async function idsOf(admin: ApiClient): Promise<TenantIds> {
  const { sims, fleets } = await admin.graphql<{ sims: { nodes: { id: string }[] }; fleets: { nodes: { id: string }[] } }>(
    '{ sims(first: 100, orderBy: { field: ICCID, direction: ASC }) { nodes { id } } fleets { nodes { id } } }',
  );
  return { sims: sims.nodes.map(({ id }) => id), fleets: fleets.nodes.map(({ id }) => id) };
}

async function setLimits(admin: ApiClient, { mark, sims: known, plmn }: Tenant, { sims, fleets }: TenantIds): Promise<void> {
  const limits = [
    { measure: 'PER_SIM', limitBytes: '1000000' },
    { measure: 'TOTAL', fleet: fleets[0], limitBytes: '3000000' },
    { measure: 'PER_SIM', sim: sims[0], limitBytes: '900000' },
  ];
  for (const limit of limits) await mutate(admin, 'setThreshold', { period: 'DAY', ...limit });
  await mutate(admin, 'configureDetector', {
    detector: 'unexpected-network',
    mode: 'ENABLED',
    options: { allowedNetworks: [plmn] },
    scope: { sim: sims[3] },
  });
  await mutate(admin, 'configureDetector', { detector: 'zero-usage', mode: 'SHADOW', scope: { fleet: fleets[1] } });
  await mutate(admin, 'updateSim', { sim: sims[1], device: { name: `${mark} pump house` } });
  await mutate(admin, 'bindImei', { sim: sims[1], imei: known[2]!.imei });
}

/** On the days that are closed, for the client and for a SIM. */
async function tryDetectors(admin: ApiClient, { sims }: TenantIds): Promise<void> {
  const days = { from: '2026-11-03', to: '2026-11-14' };
  for (const scope of [undefined, { sim: sims[0] }])
    await mutate(admin, 'backtestDetector', {
      detector: 'unexpected-network',
      options: { allowedNetworks: ['310'] },
      ...days,
      ...(scope ? { scope } : {}),
    });
}

async function sendTelemetry(house: TestApp, tenant: Tenant): Promise<void> {
  const { mark, sims, plmn, foreignPlmn, digit } = tenant;
  const days = Array.from({ length: LAST_DAY - FIRST_DAY + 1 }, (_, i) => `2026-11-${String(FIRST_DAY + i).padStart(2, '0')}`);
  const usage = days.flatMap((day) =>
    sims.map(
      (sim, i) =>
        `${mark}-${day}-${i},${sim.iccid},${day}T0${i}:00:00Z,${day}T0${i}:30:00Z,${100 * digit + i},${1000 * digit + i},${plmn},LTE_M,${sim.imei},${mark}.apn,${mark}.example`,
    ),
  );
  const stolen = withLuhnDigit(`9900000${digit}000001`);
  usage.push(
    `${mark}-stolen,${sims[0]!.iccid},2026-11-14T18:00:00Z,2026-11-14T19:00:00Z,${digit}000000,${digit}000,${plmn},LTE_M,${stolen},${mark}.apn,${mark}-video.example`,
    `${mark}-bad,${sims[0]!.iccid},2026-11-14T19:00:00Z,2026-11-14T18:00:00Z,1,1,${plmn},LTE_M,,,`,
    `${mark}-unknown,${unknownIccid(digit)},2026-11-14T18:00:00Z,2026-11-14T19:00:00Z,1,1,${plmn},LTE_M,,${mark}.apn,`,
  );
  await postCsv(
    house,
    tenant,
    'usage',
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes,plmn,rat,imei,apn,destination\n${usage.join('\n')}\n`,
  );
  const connections = Array.from(
    { length: 12 },
    (_, i) => `${mark}-rejected-${i},${sims[2]!.iccid},ATTACHMENT_REJECTED,2026-11-14T10:${10 + i}:00Z,${plmn},`,
  );
  connections.push(`${mark}-abroad,${sims[3]!.iccid},ATTACHMENT_ACCEPTED,2026-11-14T11:00:00Z,${foreignPlmn},${mark}-session`);
  await postCsv(house, tenant, 'connection-events', `event_id,iccid,type,occurred_at,plmn,session_id\n${connections.join('\n')}\n`);
  await postCsv(
    house,
    tenant,
    'device-events',
    `event_id,iccid,type,occurred_at,count,detail\n${mark}-reboots,${sims[1]!.iccid},REBOOT,2026-11-14T12:00:00Z,500,${mark} watchdog\n`,
  );
}

/** Dialogues of every SIM, more of the first; then clusters, models and what they say of the day, and what a person said of it. */
async function judgePopulation(house: TestApp, admin: ApiClient, tenant: Tenant): Promise<void> {
  const { mark, sims, plmn, signalingDay: day } = tenant;
  const rows = sims.flatMap(({ imsi }, i) =>
    Array.from({ length: i === 0 ? 200 : 4 + i }, (_, nth) => {
      const time = new Date(Date.parse(`${day}T08:00:00Z`) + nth * 61_000 + i * 1_000).toISOString();
      return `${imsi},${time},${80 + i},MAP,${['SAI', 'UL', 'CL'][nth % 3]},VLR,${i === 0 ? 'REJECT' : 'SUCCESS'},,${plmn},${mark}-vlr`;
    }),
  );
  const header = 'imsi,started_at,duration_ms,protocol,procedure,origin,outcome,result_code,visited_plmn,node';
  await postCsv(house, tenant, 'dialogues', `${header}\n${rows.join('\n')}\n`);
  await house.app.settle();
  if (mark === 'alfa') await mutate(house.operator, 'fitModels', { from: day, to: day });
  await house.app.settle();
  await mutate(house.operator, 'runDetection', { day });
  await house.app.settle();
  const { anomalies } = await admin.graphql<{ anomalies: { nodes: { id: string }[] } }>(
    'query Found($day: Date!) { anomalies(day: $day) { nodes { id } } }',
    { day },
  );
  await mutate(admin, 'recordFeedback', { anomalies: [anomalies.nodes[0]!.id], verdict: 'HARMFUL', reason: `${mark} says so` });
}

/** A well-formed ICCID that nobody has registered. */
export function unknownIccid(digit: number): string {
  return withLuhnDigit(`898839${digit}99999999999`);
}

/** As the tenant's own ingest key, from a source that carries its mark. */
export async function postCsv(house: TestApp, { keys, mark }: Tenant, kind: string, csv: string): Promise<void> {
  const response = await fetch(new URL(`/ingest/${kind}`, house.url), {
    method: 'POST',
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${keys.INGEST}`, 'simwarden-source': `${mark}-feed` },
    body: csv,
  });
  if (!response.ok) throw new Error(await response.text());
}

async function handleAlerts(admin: ApiClient, { mark }: Tenant, { sims }: TenantIds): Promise<void> {
  const { alerts } = await admin.graphql<{ alerts: { nodes: { id: string; kind: string }[] } }>(
    '{ alerts(first: 100) { nodes { id kind } } }',
  );
  const [first, second, third, ...rest] = alerts.nodes;
  if (rest.length < 3) throw new Error(`${mark} has too few alerts: ${alerts.nodes.map(({ kind }) => kind).join(', ')}`);
  await mutate(admin, 'acknowledgeAlerts', { ids: [first!.id], note: `${mark} note` });
  await mutate(admin, 'dismissAlerts', { ids: [second!.id], reason: `${mark} dismissal` });
  await mutate(admin, 'resolveAlerts', { ids: [third!.id], reason: `${mark} resolution` });
  const incident = await anIncident(admin);
  await mutate(admin, 'addIncidentNote', { incident, text: `${mark} log entry` });
  await mutate(admin, 'setRootCause', { incident, rootCause: 'STOLEN_SIM', note: `${mark} cause` });
  await mutate(admin, 'closeIncident', {
    incident: await openIncident(admin, mark, sims[5]!),
    rootCause: 'LEGITIMATE',
    note: `${mark} closed`,
  });
  const merged = await openIncident(admin, mark, sims[4]!);
  await mutate(admin, 'mergeIncidents', { into: await openIncident(admin, mark, sims[5]!), from: [merged] });
}

async function anIncident(admin: ApiClient): Promise<string> {
  const { incidents } = await admin.graphql<{ incidents: { nodes: { id: string }[] } }>(
    '{ incidents(first: 100, filter: { state: [OPEN] }) { nodes { id } } }',
  );
  return incidents.nodes.at(-1)!.id;
}

async function openIncident(admin: ApiClient, mark: string, sim: string): Promise<string> {
  const { openIncident: opened } = await admin.graphql<{ openIncident: { incident: { id: string } } }>(
    'mutation Open($input: OpenIncidentInput!) { openIncident(input: $input) { incident { id } userErrors { message } } }',
    { input: { title: `${mark} by hand`, sim } },
  );
  return opened.incident.id;
}

async function blockSims(house: TestApp, admin: ApiClient, { mark, secondAdmin }: Tenant, { sims }: TenantIds): Promise<void> {
  const ask = async (sim: string): Promise<string> => {
    const { requestBlock } = await admin.graphql<{ requestBlock: { blockRequest: { id: string } } }>(
      'mutation Ask($input: RequestBlockInput!) { requestBlock(input: $input) { blockRequest { id } userErrors { message } } }',
      {
        input: {
          sims: [sim],
          mode: 'PERMANENT_REJECT',
          reason: `${mark} reason`,
          idempotencyKey: `${mark}-${sim}`,
          restoreAt: '2026-12-01T00:00:00Z',
        },
      },
    );
    return requestBlock.blockRequest.id;
  };
  const second = new ApiClient(house.url, secondAdmin);
  const [blocked, released, calledOff] = [await ask(sims[0]!), await ask(sims[1]!), await ask(sims[2]!)];
  for (const blockRequest of [blocked, released]) await mutate(second, 'confirmBlock', { blockRequest });
  await house.app.settle();
  await mutate(admin, 'cancelBlock', { blockRequest: calledOff, reason: `${mark} called off` });
  await mutate(admin, 'unblockSim', { sims: [sims[1]!], reason: `${mark} found` });
  await house.app.settle();
  await ask(sims[3]!);
}

/** Carries out a mutation; throws on user errors and where an item of it failed. */
export async function mutate(api: ApiClient, name: string, input: object): Promise<void> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  await api.graphql(`mutation Do($input: ${type}!) { ${name}(input: $input) { userErrors { message } } }`, { input });
}
