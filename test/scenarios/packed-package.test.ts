/** The package as npm delivers it: installed in an empty folder, a detector is written there in both languages, checked, and runs in a server. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/commands/demo/api-client';
import { OPERATOR_KEY } from '../faults/usage-story';
import { RunningCommand } from '../support/command-line';

const root = join(__dirname, '../..');
const typescript = join(root, 'node_modules/typescript/bin/tsc');
let place: string;
let installed: string;

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'simwarden-packed-'));
  // A build of its own: the one in this checkout may be somebody else's, and older.
  const checkout = join(place, 'checkout');
  const parts = readdirSync(root).filter((name) => !['node_modules', 'dist', '.git', 'test', 'coverage', '.simwarden'].includes(name));
  for (const part of parts) cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: checkout, stdio: ['ignore', 2, 2] });
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], { cwd: checkout });
  // Installing copies the tarball's files and brings the dependencies; here they come from this checkout, without a network.
  installed = join(place, 'node_modules/simwarden');
  mkdirSync(installed, { recursive: true });
  const [tarball] = readdirSync(place).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(place, tarball!), '--strip-components=1', '-C', installed]);
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== 'simwarden' && !name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(place, 'node_modules', name));
  }
}, 180_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const simwarden = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  RunningCommand.start(process.execPath, [join(installed, 'dist/src/main.js'), ...args], environment, place);

const compile = (folder: string) => spawnSync(process.execPath, [typescript, '-p', folder], { encoding: 'utf8' });

it('has what it exports, and says so in a way that tools understand', () => {
  const publint = readdirSync(join(root, 'node_modules/publint/src')).find((name) => /^cli\.m?js$/.test(name))!;
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/publint/src', publint), 'run', installed, '--strict'], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([0, expect.stringContaining('All good!')]);
});

it('begins, checks and runs detectors in TypeScript and in JavaScript', async () => {
  for (const args of [['acme-typed'], ['acme-plain', '--javascript']]) {
    expect(await simwarden(['check', '--new', ...args]).outcome).toMatchObject({ code: 0 });
  }
  expect(compile(join(place, 'acme-typed'))).toMatchObject({ status: 0, stdout: '' });
  const checks = await Promise.all(['acme-typed', 'acme-plain'].map((name) => simwarden(['check', `./${name}`]).outcome));
  const failures = checks.map(({ code, stdout, stderr }) => ({ code, failed: stdout.match(/^.*FAILED.*$/gm), stderr }));
  expect(failures).toEqual(Array(2).fill({ code: 0, failed: null, stderr: '' }));

  const settings = { PORT: '0', SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY, SIMWARDEN_DETECTORS: './acme-typed, ./acme-plain' };
  const refused = await simwarden(['serve'], settings).outcome;
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('PARTNER_CODE_REFUSED') });
  const server = simwarden(['serve'], { ...settings, SIMWARDEN_ALLOW_PARTNER_CODE: '1' });
  const [, url] = await server.line(/listens on (\S+)/);
  const operator = new ApiClient(url!, OPERATOR_KEY);
  const { detectors } = await operator.graphql<{ detectors: { id: string }[] }>('{ detectors { id } }');
  expect(detectors.map(({ id }) => id)).toEqual(expect.arrayContaining(['threshold', 'acme-typed', 'acme-plain']));
  await operator.close();
  server.kill('SIGTERM');
  expect(await server.outcome).toMatchObject({ code: 0, signal: null });
}, 120_000);

it('refuses at compile time what the contract refuses', () => {
  const file = join(place, 'acme-typed/src/index.ts');
  const source = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    source.replace('} = input.columns;', ', weekBytes } = input.columns;').replace('options.multiple', 'options.multipel'),
  );
  const { status, stdout } = compile(join(place, 'acme-typed'));
  expect(status).not.toBe(0);
  expect(stdout).toMatch(/Property 'weekBytes' does not exist/);
  expect(stdout).toMatch(/Property 'multipel' does not exist/);
});
