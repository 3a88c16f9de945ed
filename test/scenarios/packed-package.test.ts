/** The package as npm delivers it: installed in an empty folder, a detector is written there in both languages, checked, and runs in a server. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/commands/demo/api-client';
import { OPERATOR_KEY } from '../faults/usage-story';
import { RunningCommand } from '../support/command-line';
import { testServerUrl } from '../support/database';

const root = join(__dirname, '../..');
const typescript = join(root, 'node_modules/typescript/bin/tsc');
let place: string;
let installed: string;

// The same on either database; where the suite runs on PostgreSQL, it ran already.
const describeOnce = testServerUrl === null ? describe : describe.skip;

beforeAll(() => {
  if (testServerUrl !== null) return;
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
  mkdirSync(join(place, 'node_modules/.bin'));
  symlinkSync('../simwarden/dist/src/main.js', join(place, 'node_modules/.bin/simwarden'));
  symlinkSync('../typescript/bin/tsc', join(place, 'node_modules/.bin/tsc'));
}, 180_000);
afterAll(() => {
  if (testServerUrl === null) rmSync(place, { recursive: true, force: true });
});

/** The only block of the document in this language that holds the text. */
function block(language: string, containing: string): string {
  const document = readFileSync(join(root, 'plugins/README.md'), 'utf8');
  const found = [...document.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].filter(([, text]) =>
    text!.includes(containing),
  );
  if (found.length !== 1) throw new Error(`plugins/README.md has ${found.length} blocks of ${language} with ${containing}`);
  return found[0]![1]!;
}

/** Runs a shell block as it stands; answers what it printed. */
async function shell(script: string): Promise<string> {
  const { code, stdout, stderr } = await RunningCommand.start('bash', ['-euo', 'pipefail', '-c', script], {}, place).outcome;
  if (code !== 0) throw new Error(`${script}ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

const simwarden = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  RunningCommand.start(process.execPath, [join(installed, 'dist/src/main.js'), ...args], environment, place);

const compile = (folder: string) => spawnSync(process.execPath, [typescript, '-p', folder], { encoding: 'utf8' });

describeOnce('the packed package', () => {
  it('has what it exports, and says so in a way that tools understand', () => {
    const publint = readdirSync(join(root, 'node_modules/publint/src')).find((name) => /^cli\.m?js$/.test(name))!;
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/publint/src', publint), 'run', installed, '--strict'],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stdout]).toEqual([0, expect.stringContaining('All good!')]);
  });

  it('takes an author through plugins/README.md, block by block, to a detector that runs in a server', async () => {
    const [begin, prove, serve] = [block('sh', 'check --new'), block('sh', 'check .'), block('sh', 'SIMWARDEN_DETECTORS')];
    await shell(begin.replace(/^npm install .*\n/, '')); // what `beforeAll` did
    writeFileSync(join(place, 'acme-upload-heavy/src/index.ts'), block('ts', 'defineDetector'));
    const readme = join(place, 'acme-upload-heavy/README.md');
    const row = block('md', 'minimumBytes');
    writeFileSync(
      readme,
      readFileSync(readme, 'utf8').replace(/^\| `multiple` .*\n/m, (other) => other + row),
    );
    expect(await shell(prove)).toContain('19 checks, 17 passed, 0 failed');

    await shell('npx simwarden check --new acme-plain --javascript && npx simwarden check ./acme-plain\n');
    const exported = Object.fromEntries([...serve.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value!]));
    expect(serve).toMatch(/^npx simwarden serve$/m);
    const settings = { PORT: '0', SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY, ...exported };
    const refused = await simwarden(['serve'], { ...settings, SIMWARDEN_ALLOW_PARTNER_CODE: '0' }).outcome;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('PARTNER_CODE_REFUSED') });
    const server = simwarden(['serve'], { ...settings, SIMWARDEN_DETECTORS: `${settings['SIMWARDEN_DETECTORS']}, ./acme-plain` });
    const [, url] = await server.line(/listens on (\S+)/);
    const operator = new ApiClient(url!, OPERATOR_KEY);
    const { detectors } = await operator.graphql<{ detectors: { id: string }[] }>('{ detectors { id } }');
    expect(detectors.map(({ id }) => id)).toEqual(expect.arrayContaining(['threshold', 'acme-upload-heavy', 'acme-plain']));
    await operator.close();
    server.kill('SIGTERM');
    expect(await server.outcome).toMatchObject({ code: 0, signal: null });
  }, 180_000);

  it('refuses at compile time what the contract refuses', () => {
    const file = join(place, 'acme-upload-heavy/src/index.ts');
    const source = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      source.replace(' } = input.columns;', ', weekBytes } = input.columns;').replace('/ options.multiple', '/ options.multipel'),
    );
    const { status, stdout } = compile(join(place, 'acme-upload-heavy'));
    expect(status).not.toBe(0);
    expect(stdout).toMatch(/Property 'weekBytes' does not exist/);
    expect(stdout).toMatch(/Property 'multipel' does not exist/);
  });
});
