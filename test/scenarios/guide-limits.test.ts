/** The guide's thresholds and its silent SIMs, as they come about hour by hour and day by day. */
import { Town } from './guide-town';

let town: Town;
afterEach(() => town.close());

const day = (number: number, time: string) => `2026-11-${String(number).padStart(2, '0')}T${time}:00Z`;

test("a fleet hands its limit down to each of its SIMs, unless one has its own; another fleet has the client's", async () => {
  town = await Town.open('Volta Charging', 'charger-x7', { Lyon: 3, Nice: 2 }, day(10, '00:00'));
  await town.limit({ client: town.clientId, measure: 'PER_SIM', period: 'DAY', limitBytes: '50000000' });
  await town.limit({ fleet: await town.fleetId('Lyon'), measure: 'PER_SIM', period: 'DAY', limitBytes: '10000000' });
  await town.limit({ sim: await town.simId(1), measure: 'PER_SIM', period: 'DAY', limitBytes: '100000000' });

  await town.everybodyUses(7, day(10, '08:00')).at(day(10, '08:05'));
  expect(await town.alerts()).toEqual([]);

  await town.uses(0, 1.5, day(10, '12:00')).uses(1, 30, day(10, '12:00')).uses(3, 30, day(10, '12:00')).at(day(10, '12:05'));
  const [near, ...others] = await town.alerts('DAILY_LIMIT');
  expect(others).toEqual([]);
  expect(near).toMatchObject({
    severity: 'WARNING',
    state: 'OPEN',
    fleet: { name: 'Lyon' },
    evidence: [{ text: '8.5 MB today, 85 % of the limit of 10 MB' }],
  });
  expect(await town.whoIs('DAILY_LIMIT')).toEqual([0]);

  await town.uses(0, 5, day(10, '18:00')).uses(3, 20, day(10, '18:00')).at(day(10, '18:05'));
  const over = await town.alerts('DAILY_LIMIT');
  expect(over.map(({ severity, fleet }) => [fleet!.name, severity])).toEqual([
    ['Lyon', 'CRITICAL'],
    ['Nice', 'CRITICAL'],
  ]);
  expect(over.find(({ fleet }) => fleet!.name === 'Lyon')!.id).toBe(near!.id);
  expect(await town.whoIs('DAILY_LIMIT')).toEqual([0, 3]);
});

test("a fleet's total warns before it breaches, though no SIM stands out", async () => {
  town = await Town.open('River Research', 'river-sensor-2', { Mississippi: 10, Danube: 2 }, day(10, '00:00'));
  await town.limit({ fleet: await town.fleetId('Mississippi'), measure: 'TOTAL', period: 'DAY', limitBytes: '100000000' });

  await town.everybodyUses(7, day(10, '08:00')).at(day(10, '08:05'));
  expect(await town.alerts()).toEqual([]);
  await town.everybodyUses(1.5, day(10, '14:00')).at(day(10, '14:05'));
  const [warned] = await town.alerts();
  expect(warned).toMatchObject({ kind: 'FLEET_DAILY_TOTAL', severity: 'WARNING', sim: null, fleet: { name: 'Mississippi' } });
  expect(warned!.evidence[0]!.text).toBe('85 MB in the whole fleet today, 85 % of the limit of 100 MB');
  await town.everybodyUses(2, day(10, '20:00')).at(day(10, '20:05'));
  expect(await town.alerts()).toMatchObject([
    { id: warned!.id, severity: 'CRITICAL', evidence: [{ text: '105 MB in the whole fleet today, limit 100 MB' }] },
  ]);
});

test('a monthly limit counts from the day on which the billing cycle begins', async () => {
  town = await Town.open('Iberia Tracking', 'tracker-t4', { Trailers: 2 }, day(8, '00:00'));
  await town.house.operator.graphql(
    'mutation Cycle($input: UpdateClientInput!) { updateClient(input: $input) { userErrors { message } } }',
    {
      input: { client: town.clientId, billingCycleDay: 15 },
    },
  );
  await town.limit({ client: town.clientId, measure: 'PER_SIM', period: 'MONTH', limitBytes: '100000000' });

  await town.uses(0, 70, day(10, '12:00')).uses(1, 1, day(10, '12:00')).at(day(10, '12:05'));
  await town.uses(0, 60, day(16, '12:00')).uses(1, 1, day(16, '12:00')).at(day(16, '12:05'));
  expect(await town.alerts()).toEqual([]);

  await town.uses(0, 25, day(18, '12:00')).at(day(18, '12:05'));
  expect(await town.alerts()).toMatchObject([{ kind: 'MONTHLY_LIMIT', severity: 'WARNING', firstWindowStart: '2026-11-15T00:00:00.000Z' }]);
  await town.uses(0, 25, day(20, '12:00')).at(day(20, '12:05'));
  expect(await town.alerts()).toMatchObject([
    { kind: 'MONTHLY_LIMIT', severity: 'CRITICAL', occurrenceCount: 1, evidence: [{ text: '110 MB in this billing cycle, limit 100 MB' }] },
  ]);
});

test('a SIM that wavers around its warning has one alert, which clears below the clear level', async () => {
  town = await Town.open('Gatekeeper Cameras', 'gate-camera-3', { Sites: 2 }, day(9, '00:00'));
  await town.limit({
    client: town.clientId,
    measure: 'PER_SIM',
    period: 'DAY',
    limitBytes: '100000000',
    warnPercent: 80,
    clearPercent: 60,
  });

  // the other camera has never been over its warning: 70 MB is nothing
  const days: readonly (readonly [day: number, megabytes: number])[] = [
    [9, 50],
    [10, 85],
    [11, 70],
    [12, 82],
    [13, 65],
    [14, 40],
    [15, 70],
  ];
  for (const [number, megabytes] of days) {
    await town.uses(0, megabytes, day(number, '10:00')).uses(1, 70, day(number, '10:00')).at(day(number, '10:05'));
  }
  const [only, ...others] = await town.alerts('DAILY_LIMIT');
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    severity: 'WARNING',
    state: 'RESOLVED',
    occurrenceCount: 4,
    firstWindowStart: '2026-11-10T00:00:00.000Z',
    lastWindowStart: '2026-11-13T00:00:00.000Z',
  });
  expect(await town.whoIs('DAILY_LIMIT')).toEqual([]);
});

test('while the source is late nobody is called silent; once it is back, who is really silent is', async () => {
  town = await Town.open('Andes Metering', 'meter-m1', { Quito: 6 }, day(1, '00:00'));
  for (let number = 1; number <= 9; number++) {
    for (const hour of ['06:00', '18:00']) await town.everybodyUses(0.1, day(number, hour)).at(day(number, `${hour.slice(0, 2)}:05`));
  }
  expect(await town.alerts('SILENT_SIM')).toEqual([]);

  // the platform stops delivering: four days of nothing, of anybody
  for (let number = 10; number <= 13; number++) await town.at(day(number, '18:05'));
  expect(await town.alerts('SILENT_SIM')).toEqual([]);

  // it delivers what it held back; one meter has sent nothing since the tenth
  for (let number = 10; number <= 13; number++) {
    for (const hour of ['06:00', '18:00']) town.everybodyUses(0.1, day(number, hour), number >= 10 ? [2] : []);
  }
  await town.at(day(14, '00:30'));
  await town.everybodyUses(0.1, day(14, '07:00'), [2]).at(day(14, '07:05'));
  expect(await town.whoIs('SILENT_SIM')).toEqual([2]);
});
