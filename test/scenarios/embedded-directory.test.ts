/** One process holds the data directory; when it is killed, the next one goes on where it stopped. */
import { openDatabase } from '../../src/database/open';
import { iccidOf, makeCustomer, USAGE_HEADER } from '../faults/usage-story';
import { simwarden } from '../support/command-line';
import { testLog, testServerUrl } from '../support/database';
import { Subscriber } from '../support/subscriber';
import { EmbeddedHouse, storedBytes } from './embedded-house';

let house: EmbeddedHouse;
beforeEach(() => {
  house = new EmbeddedHouse();
});
afterEach(() => house.close());

/** The run without TEST_DATABASE_URL is the embedded database's. */
const onEmbedded = testServerUrl === null ? test : test.skip;

onEmbedded(
  'a second server at the same directory is refused in one line; after a kill the next one opens it with all that was acknowledged',
  async () => {
    const first = await house.serve();
    const { id } = await makeCustomer(first.operator, 'Acme', 0, 10);
    await house.ingest('usage', house.usageFile('before', 200));
    const second = await simwarden(['serve'], house.environment);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^DATA_DIRECTORY_IN_USE: The data directory ".*data" is in use/),
    ]);
    expect(await simwarden(['migrate'], house.environment)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATA_DIRECTORY_IN_USE: /),
    });

    first.command.kill('SIGKILL');
    expect((await first.command.outcome).signal).toBe('SIGKILL');
    const next = await house.serve();
    expect(await storedBytes(next, id)).toBe(200 * 3);
  },
);

onEmbedded('what a killed process had begun to judge is judged at once by the next', async () => {
  const first = await house.serve();
  const customer = await makeCustomer(first.operator, 'Acme', 0, 10);
  first.command.kill('SIGKILL');
  await first.command.outcome;
  await leaveLeasesBehind();
  const next = await house.serve();
  const portal = new Subscriber('alertChanged', customer.key);
  portal.connect(next.url);
  const end = new Date(Date.now() - 3_600_000).toISOString();
  await next.operator.ingest('usage', `${USAGE_HEADER}breach,${iccidOf(3)},${end},${end},1,9000000\n`, 'breach');
  // Before the leases run out, which is long after this test would be given up.
  await portal.change(({ iccid }) => iccid === iccidOf(3));
  portal.disconnect();
});

onEmbedded('a population run is asked of the server that holds the directory, without a key', async () => {
  await house.serve();
  for (const command of [
    ['detect', '--day', '2026-11-20'],
    ['fit', '--from', '2026-11-13', '--to', '2026-11-20'],
  ]) {
    const refused = await simwarden(command, house.stranger);
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^NOTHING_TO_JUDGE: There are no signaling features/),
    });
  }
});

/** As a process does that is killed in the middle of an evaluation: they run out only in an hour. */
async function leaveLeasesBehind(): Promise<void> {
  const database = await openDatabase({ dataDirectory: house.dataDirectory, entities: [], log: testLog });
  const inAnHour = new Date(Date.now() + 3_600_000);
  await database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    tx.query(
      `INSERT INTO lease (name, holder, held_until) SELECT 'evaluation:' || client_id, '00000000-0000-7000-8000-000000000000', $1 FROM client
       ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until`,
      [inAnHour],
    ),
  );
  await database.close();
}
