/**
 * From signaling dialogues to what a customer's portal sees: a storm of one device, and a service that is down for many. The rules tell both. The
 * population's models say nothing here: on the one quiet day that they were fitted on no dialogue was ever rejected, so no tree asks for rejections.
 */
import { ApiClient } from '../../src/commands/demo/api-client';
import { startTestApp, type TestApp } from '../support/app';

const SIMS_OF_A_CLIENT = 60;
/** Of Acme's SIMs, those that the network rejects on the bad day. */
const REJECTED = 40;
const clients = ['Acme Lifts', 'Bolt Scooters', 'Quiet Pumps', 'Sunny Roofs'];
const QUIET_DAY = '2026-11-13';
const BAD_DAY = '2026-11-14';

interface Told {
  readonly kind: string;
  readonly subject: string;
  readonly country: string | null;
  readonly sim: { readonly iccid: string } | null;
  readonly evidence: readonly { readonly text: string }[];
}

const imsiOf = (client: number, sim: number): string => `9014${client}0000000${String(sim).padStart(3, '0')}`;
const iccidOf = (client: number, sim: number): string => `89883070000${client}0000${String(sim).padStart(3, '0')}`;

/** Six or more dialogues of each SIM over the day, authentication before update; on the bad day Acme's first SIMs are turned away, the very first all day long. */
function dialoguesOf(day: string): string {
  const rows: string[] = ['imsi,started_at,duration_ms,protocol,procedure,origin,outcome,result_code,visited_plmn,node'];
  for (const client of clients.keys()) {
    for (let sim = 0; sim < SIMS_OF_A_CLIENT; sim++) {
      const turnedAway = day === BAD_DAY && client === 0 && sim < REJECTED;
      const dialogues = turnedAway ? (sim === 0 ? 700 : 40) : 6 + ((sim * 7 + client) % 9);
      for (let nth = 0; nth < dialogues; nth++) {
        const second = Math.floor(((nth + 0.5) * 86_000) / dialogues) + sim;
        const at = new Date(Date.parse(`${day}T00:00:00Z`) + second * 1_000).toISOString();
        const outcome = turnedAway ? 'REJECT,8' : 'SUCCESS,';
        rows.push(
          `${imsiOf(client, sim)},${at},${90 + (nth % 7) * 11},MAP,${nth % 2 ? 'UL' : 'SAI'},VLR,${outcome},214-07,vlr-${sim % 3}.example`,
        );
      }
    }
  }
  return `${rows.join('\n')}\n`;
}

let house: TestApp;
const portals: ApiClient[] = [];
const told = new Map<string, Told[]>();

beforeAll(async () => {
  house = await startTestApp({ now: new Date(`${BAD_DAY}T12:30:00Z`) });
  const sims = clients.flatMap((client, number) =>
    Array.from({ length: SIMS_OF_A_CLIENT }, (_, sim) => `${iccidOf(number, sim)},${imsiOf(number, sim)},${client},all,sensor`),
  );
  await house.operator.ingest('sims', `iccid,imsi,client,fleet,family\n${sims.join('\n')}\n`, 'sims');
  await house.operator.ingest('dialogues', dialoguesOf(QUIET_DAY), 'quiet day');
  await house.app.settle();
  await house.operator.graphql(`mutation { fitModels(input: { from: "${QUIET_DAY}", to: "${QUIET_DAY}" }) { userErrors { message } } }`);
  await house.app.settle();
  for (const client of ['Acme Lifts', 'Quiet Pumps']) {
    const portal = new ApiClient(house.url, await house.keyFor(client, 'EMBED'));
    portals.push(portal);
    const changes: Told[] = [];
    told.set(client, changes);
    portal.subscribe<{ alertChanged: { alert: Told } }>(
      'subscription { alertChanged(after: null) { alert { kind subject country sim { iccid } evidence { text } } } }',
      ({ alertChanged }) => changes.push(alertChanged.alert),
      (error) => {
        throw error as Error;
      },
    );
  }
  house.clock.set(new Date('2026-11-15T12:30:00Z'));
  await house.operator.ingest('dialogues', dialoguesOf(BAD_DAY), 'bad day');
  await house.app.settle();
});
afterAll(async () => {
  for (const portal of portals) await portal.close();
  await house?.close();
});

/** What a portal was told, as soon as it fits. */
async function heard(client: string, wanted: (alert: Told) => boolean): Promise<Told> {
  const until = Date.now() + 10_000;
  for (;;) {
    if (Date.now() > until) throw new Error(`${client} was told only ${JSON.stringify(told.get(client))}`);
    const found = told.get(client)!.find(wanted);
    if (found) return found;
    await new Promise((turn) => setTimeout(turn, 20));
  }
}

test('a device that retries all day is named, with how often it failed', async () => {
  const alert = await heard('Acme Lifts', ({ kind }) => kind === 'RETRY_STORM');
  expect(alert).toMatchObject({ subject: 'SIM', sim: { iccid: iccidOf(0, 0) } });
  expect(alert.evidence[0]!.text).toContain('700 dialogues');
});

test('a service that most devices of a country are without is told as one alert of the country', async () => {
  expect(await heard('Acme Lifts', ({ kind }) => kind === 'VOICE_SMS_HIT')).toMatchObject({ subject: 'COUNTRY', country: 'ES', sim: null });
});

test('a customer whose devices behave hears nothing', () => {
  expect(told.get('Quiet Pumps')).toEqual([]);
});

describe('who asks for what is not there', () => {
  const refusal = async (query: string): Promise<unknown> => house.operator.graphql(query).catch((error: Error) => error.message);

  it('is told which detectors rank a population, and how a country is written', async () => {
    expect(await refusal(`{ anomalies(day: "${BAD_DAY}", filter: { detector: "threshold" }) { nodes { id } } }`)).toContain(
      'Known: isolation-forest, gaussian-mixture, tukey-fences',
    );
    expect(await refusal(`{ clientAnomalies(day: "${BAD_DAY}", filter: { country: "Spain" }) { nodes { country } } }`)).toContain(
      'such as ES',
    );
    const lower = `{ clientAnomalies(day: "${BAD_DAY}", filter: { country: "es" }) { nodes { country } } }`;
    expect(await house.operator.graphql(lower)).toMatchObject({ clientAnomalies: { nodes: expect.arrayContaining([{ country: 'ES' }]) } });
  });

  it('is told why a day cannot be judged', async () => {
    const run = (day: string): Promise<unknown> =>
      refusal(`mutation { runDetection(input: { day: "${day}" }) { userErrors { message } } }`);
    expect(await run('2027-01-01')).toContain('still to come');
    expect(await run('2026-10-01')).toContain('no dialogues were stored');
    await house.operator.ingest('dialogues', dialoguesOf('2026-11-15').split('\n').slice(0, 3).join('\n'), 'today');
    expect(await run('2026-11-15')).toContain('dialogues of 1 client wait for their day to close');
    await house.operator.ingest('dialogues', dialoguesOf('2026-10-20').split('\n').slice(0, 3).join('\n'), 'long past');
    expect(await run('2026-10-20')).toContain('those of 1 client are computed from a minute after');
  });

  it('cannot call an anomaly harmless until a day before its own', async () => {
    const { anomalies } = await house.operator.graphql<{ anomalies: { nodes: { id: string }[] } }>(
      `{ anomalies(day: "${BAD_DAY}", first: 1) { nodes { id } } }`,
    );
    expect(
      await refusal(
        `mutation { recordFeedback(input: { anomalies: ["${anomalies.nodes[0]!.id}"], verdict: HARMLESS, until: "2026-11-13" }) { userErrors { message } } }`,
      ),
    ).toContain('name that day or a later one');
  });
});
