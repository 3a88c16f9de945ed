/**
 * The command line from a checkout, as README.md says it: it is built when it must be, npm passes signals and exit codes through, and what was built
 * judges a day with nothing loaded but itself.
 */
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { dialogueCsv, inventoryLines, signalingPopulation } from '../../seeds/signaling';
import { OPERATOR_KEY } from '../faults/usage-story';
import { RunningCommand } from '../support/command-line';

const root = join(__dirname, '../..');
let checkout: string;

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'simwarden-checkout-'));
  for (const part of ['src', 'plugins', 'seeds', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'ormconfig.ts'])
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  // what a build leaves behind that was interrupted
  mkdirSync(join(checkout, 'dist/src'), { recursive: true });
  writeFileSync(join(checkout, 'dist/src/main.js'), 'throw new Error("half a build");');
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

function npmRun(...args: string[]): RunningCommand {
  return RunningCommand.start(
    'npm',
    ['run', '-s', 'simwarden', '--', ...args],
    { PORT: '0', SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY },
    checkout,
  );
}

/** The last day that is over for certain: it closed at noon at the latest. */
const DAY = new Date(Math.floor(Date.now() / 86_400_000 - 1.5) * 86_400_000);

/** SIMs with a day of signaling. */
function writePopulation(): void {
  const end = new Date(DAY.getTime() + 86_400_000);
  const population = signalingPopulation({ sims: 300, clients: 6, days: 1, seed: 1, end, incidents: [] });
  const sims = ['iccid,imsi,msisdn,client,fleet,family,imei,criticality\n', ...inventoryLines(population, population.clients)];
  writeFileSync(join(checkout, 'population.csv'), sims.join(''));
  writeFileSync(join(checkout, 'dialogues.csv'), Array.from(dialogueCsv(population, 0), (block) => Buffer.from(block).toString()).join(''));
}

test('npm run simwarden serves, takes a file meanwhile, says with its exit code that one was bad, and ends at a signal', async () => {
  const server = npmRun('serve');
  await server.line(/listens on/);
  const sims = join(checkout, 'sims.csv');
  writeFileSync(sims, 'iccid,client,fleet,family\n8934000000000000001,Acme,meters,meter\n');
  expect(await npmRun('ingest', 'sims', 'sims.csv').outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(': 1 accepted') });
  expect(await npmRun('ingest', 'usage', 'sims.csv').outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('HEADER_INVALID') });
  writePopulation();
  for (const [kind, file] of [
    ['sims', 'population.csv'],
    ['dialogues', 'dialogues.csv'],
  ] as const)
    expect(await npmRun('ingest', kind, file).outcome).toMatchObject({ code: 0 });
  server.kill('SIGTERM');
  expect(await server.outcome).toMatchObject({ code: 0, signal: null, stdout: expect.stringMatching(/Stopping…\n$/) });
});

test('what was built fits models on a day and judges it by them, and says how far it is', async () => {
  const day = DAY.toISOString().slice(0, 10);
  const { code, stdout, stderr } = await npmRun('detect', '--day', day, '--json').outcome;
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^detect [-0-9]+: 100 % · DONE$/m) });
  const run = JSON.parse(stdout) as { state: string; result: { detector: string; devices: number; failure: string | null }[] };
  expect(run.state).toBe('SUCCEEDED');
  expect(run.result.map(({ detector, failure }) => [detector, failure])).toEqual([
    ['isolation-forest', null],
    ['gaussian-mixture', null],
    ['tukey-fences', null],
  ]);
  expect(run.result[0]!.devices).toBeGreaterThan(200);
});

describe('each thread that was built', () => {
  /** What lets each say a word: an answer, or why there is none. */
  const words: Readonly<Record<string, { readonly workerData?: object; readonly message?: object }>> = {
    'session-worker.js': { workerData: { directory: null, imagePath: '/no image' } },
    'pass-worker.js': { message: { id: 1, input: {} } },
    'fit-worker.js': { workerData: { code: 'plugins', plan: [], clustersBefore: null, firstFree: 0 } },
    'score-worker.js': { workerData: { code: 'plugins' }, message: { id: 1 } },
  };

  test('starts where nothing else is loaded', async () => {
    const files = readdirSync(join(checkout, 'dist/src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('-worker.js'))
      .map((file) => join(checkout, 'dist/src', file))
      .filter((file) => readFileSync(file, 'utf8').includes('parentPort'));
    expect(files.map((file) => basename(file)).sort()).toEqual(Object.keys(words).sort());
    for (const file of files) {
      const { workerData = {}, message = {} } = words[basename(file)]!;
      const code = join(checkout, 'dist/plugins');
      const worker = new Worker(file, {
        workerData: { ...workerData, ...('code' in workerData ? { code } : {}) },
        execArgv: [],
      });
      worker.postMessage(message);
      const word = await Promise.race([once(worker, 'message'), once(worker, 'exit').then(([ended]) => [`it ended with ${ended}`])]).catch(
        (error: Error) => [error.message],
      );
      expect({ file, word }).toEqual({ file, word: [expect.any(Object)] });
      await worker.terminate();
    }
  });
});
