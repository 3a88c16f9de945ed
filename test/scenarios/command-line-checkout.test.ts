/** The command line from a checkout, as README.md says it: it is built when it must be, and npm passes signals and exit codes through. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('npm run simwarden serves, takes a file meanwhile, says with its exit code that one was bad, and ends at a signal', async () => {
  const server = npmRun('serve');
  await server.line(/listens on/);
  const sims = join(checkout, 'sims.csv');
  writeFileSync(sims, 'iccid,client,fleet,family\n8934000000000000001,Acme,meters,meter\n');
  expect(await npmRun('ingest', 'sims', 'sims.csv').outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(': 1 accepted') });
  expect(await npmRun('ingest', 'usage', 'sims.csv').outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('HEADER_INVALID') });
  server.kill('SIGTERM');
  expect(await server.outcome).toMatchObject({ code: 0, signal: null, stdout: expect.stringMatching(/Stopping…\n$/) });
});
