/** `simwarden ingest` at a data directory that a server may hold: the file goes through it, and is the same records either way. */
import { iccidOf, makeCustomer, USAGE_HEADER } from '../faults/usage-story';
import { RunningCommand } from '../support/command-line';
import { testServerUrl } from '../support/database';
import { countsOf, EmbeddedHouse, linesOf, storedBytes } from './embedded-house';

let house: EmbeddedHouse;
beforeEach(() => {
  house = new EmbeddedHouse();
});
afterEach(() => house.close());

/** The run without TEST_DATABASE_URL is the embedded database's. */
const onEmbedded = testServerUrl === null ? test : test.skip;

onEmbedded(
  'files that are ingested while the server runs go through it, at the same time as other senders, and nothing is lost or doubled',
  async () => {
    const server = await house.serve();
    const { id } = await makeCustomer(server.operator, 'Acme', 0, 10);
    const files = ['one', 'two', 'three'].map((name) => house.usageFile(name, 700));
    const [outcomes] = await Promise.all([
      Promise.all(files.map((file) => house.ingest('usage', file))),
      // two of the records of the first file, over the public port and under the same source
      server.operator.ingest('usage', USAGE_HEADER + linesOf(files[0]!).slice(1, 3).join('\n'), 'overlap'),
    ]);
    expect(outcomes.map(({ code, signal }) => code ?? signal)).toEqual([0, 0, 0]);
    expect(await storedBytes(server, id)).toBe(3 * 700 * 3);
    // the same batch is answered as it was, the same records in another batch are known
    expect(countsOf(await house.ingest('usage', files[1]!))).toBe('700 accepted, 0 duplicates, 0 rejected');
    expect(countsOf(await house.ingest('usage', files[2]!, '--idempotency-key', 'another batch'))).toBe(
      '0 accepted, 700 duplicates, 0 rejected',
    );
    expect(await storedBytes(server, id)).toBe(3 * 700 * 3);
  },
);

onEmbedded('a file is the same records whether a server runs or not', async () => {
  const rows = Array.from({ length: 10 }, (_, sim) => `${iccidOf(sim)},Acme,meters,meter\n`);
  const sims = house.write('sims.csv', `iccid,client,fleet,family\n${rows.join('')}`);
  const file = house.usageFile('usage', 50);
  expect(await house.ingest('sims', sims)).toMatchObject({ code: 0, stdout: expect.stringContaining('10 accepted') });
  expect(countsOf(await house.ingest('usage', file))).toBe('50 accepted, 0 duplicates, 0 rejected');
  const server = await house.serve();
  expect(countsOf(await house.ingest('usage', file, '--idempotency-key', 'sent again'))).toBe('0 accepted, 50 duplicates, 0 rejected');
  expect(await server.operator.ingest('usage', linesOf(file).join('\n'), 'and again')).toBe(0);
});

onEmbedded('with --strict a dialogue is stored once, whatever batch it comes in; without, once for each batch', async () => {
  const imsi = '214070000000001';
  const sims = house.write('sims.csv', `iccid,imsi,client,fleet,family\n${iccidOf(0)},${imsi},Acme,meters,meter\n`);
  await house.ingest('sims', sims);
  const lastHour = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000;
  const rows = Array.from({ length: 20 }, (_, n) => `${imsi},${lastHour + n * 1000},120,MAP,SAI,VLR,SUCCESS,214-07,node-1\n`);
  const header = 'imsi,started_at,duration_ms,protocol,procedure,origin,outcome,visited_plmn,node\n';
  const file = house.write('dialogues.csv', header + rows.join(''));
  const twice = house.write('twice.csv', header + rows.join('') + rows.join(''));
  await house.serve();
  expect(countsOf(await house.ingest('dialogues', file, '--strict'))).toBe('20 accepted, 0 duplicates, 0 rejected');
  expect(countsOf(await house.ingest('dialogues', twice, '--strict'))).toBe('0 accepted, 40 duplicates, 0 rejected');
  expect(countsOf(await house.ingest('dialogues', twice, '--idempotency-key', 'plain'))).toBe('40 accepted, 0 duplicates, 0 rejected');
});

onEmbedded('a sender whose server is killed is told in one line what to do, and doing it loses and doubles nothing', async () => {
  const first = await house.serve();
  const { id } = await makeCustomer(first.operator, 'Acme', 0, 10);
  const file = house.usageFile('interrupted', 300);
  const lines = linesOf(file);
  const sender = house.keep(RunningCommand.simwarden(['ingest', 'usage', '-'], house.stranger));
  sender.child.stdin!.write(`${lines.slice(0, 150).join('\n')}\n`);
  await untilProgress(sender);
  first.command.kill('SIGKILL');
  const { code, stderr } = await sender.outcome;
  expect(code).toBe(1);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^ANSWER_LOST: .* Send the file again: what is stored already is not stored twice\.$/);
  const next = await house.serve();
  expect(countsOf(await house.ingest('usage', file))).toBe('300 accepted, 0 duplicates, 0 rejected');
  expect(await storedBytes(next, id)).toBe(300 * 3);
});

/** Its first bytes are on their way. */
async function untilProgress({ child }: RunningCommand): Promise<void> {
  await new Promise<void>((resolve) => child.stderr!.once('data', () => resolve()));
}
