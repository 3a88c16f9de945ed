/** The examples, and what the command that checks them says to an author. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePartner } from '../pipeline/detection/hostile-partners';
import { RunningCommand, simwarden } from '../support/command-line';
import type { CheckOutcome } from './check-process';

const examples = join(__dirname, '../../examples');
let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'simwarden-author-'))));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function checks(...packages: string[]): Promise<CheckOutcome[]> {
  const script = ['-r', join(__dirname, '../support/register-typescript.js'), join(__dirname, 'check-process.ts')];
  const { stdout } = await RunningCommand.start(process.execPath, [...script, ...packages], {}).outcome;
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CheckOutcome);
}
const fleets = (kind: string) => `
  const { plantedUsage, syntheticUsage } = require('simwarden/detector/testing');
  module.exports = { quiet: [{ name: 'quiet', rows: syntheticUsage({ sims: 100, seed: 1 }) }], anomalous: [plantedUsage('point', { kind: '${kind}', seed: 2 })] };`;

describe('an example', () => {
  it('passes its own check, and declares what it does not', async () => {
    const names = ['smallest', 'family-habit', 'ml-isolation-forest'];
    const outcomes = await checks(...names.map((name) => join(examples, name)));
    expect(outcomes.map(({ code, text }) => [code, text.trim().split('\n').at(-1)])).toEqual([
      [0, 'acme-upload-heavy 0.1.0: 19 checks, 17 passed, 0 failed, 0 failed as expected, 2 skipped'],
      [0, 'acme-family-habit 0.1.0: 19 checks, 19 passed, 0 failed, 0 failed as expected, 0 skipped'],
      [0, 'acme-isolation-forest 0.1.0: 19 checks, 16 passed, 0 failed, 3 failed as expected, 0 skipped'],
    ]);
    expect(outcomes[2]!.text).toContain('the library draws from Math.random and takes no seed');
  });

  it('is small: the smallest has fewer than 30 lines', () => {
    expect(readFileSync(join(examples, 'smallest/index.js'), 'utf8').trim().split('\n').length).toBeLessThan(30);
  });

  it('is listed', () => {
    const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const listed = [...readFileSync(join(examples, 'README.md'), 'utf8').matchAll(/^\| \[([a-z-]+)\]/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(folders.map(({ name }) => name).sort());
  });
});

describe('simwarden check', () => {
  it('begins a detector that passes, under the name of its folder', async () => {
    const folder = join(root, 'night-traffic');
    const begin = (...args: string[]) => simwarden(['check', '--new', ...args], {});
    expect(await begin(folder, '--javascript')).toMatchObject({ code: 0, stdout: expect.stringContaining('npx simwarden check .') });
    const [again, checked, misnamed] = await Promise.all([
      begin(folder),
      simwarden(['check', folder], {}),
      begin(join(root, 'Night_Traffic')),
    ]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('night-traffic 0.1.0: 19 checks, 17 passed, 0 failed') });
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/FOLDER_UNUSABLE: .*it is not empty/) });
    expect(misnamed).toMatchObject({ code: 1, stderr: expect.stringContaining('choose another') });
    expect(existsSync(join(root, 'Night_Traffic'))).toBe(false);
  });

  it('says what to change, with the clause, and ends with 1', async () => {
    const loud = writePartner(root, 'loud', 'input.columns.dayBytes.fill(1e9)', { 'check.js': fleets('HIGH') });
    const peeking = writePartner(root, 'peeking', `require('fs').existsSync('/'); require('fs').readFileSync('/proc/self/status')`, {
      'check.js': fleets('HIGH'),
    });
    const [one, other] = await checks(loud, peeking);
    expect(one!.code).toBe(1);
    expect(one!.text).toMatch(/│ pure +│ MUST-11 +│ FAILED +│ .*detect changed dayBytes; copy what you sort or fill/);
    expect(one!.text).toMatch(/│ readme-complete +│ MUST-20 +│ FAILED/);
    expect(other!.text).toMatch(/│ fenced +│ MUST-21 +│ FAILED +│ .*(restricted|here)/s);
  });

  it('says what to do about what is no package to check', async () => {
    const unbuilt = writePartner(root, 'unbuilt', '');
    writeFileSync(join(unbuilt, 'package.json'), '{"main":"dist/index.js"}');
    const oddFleets = writePartner(root, 'odd-fleets', '', { 'check.js': 'exports.x = 1' });
    const outcomes = await checks(join(root, 'nowhere'), writePartner(root, 'no-fleets', ''), oddFleets, unbuilt);
    expect(outcomes).toEqual([
      { code: 1, text: expect.stringMatching(/can't be checked: there is no \/.*nowhere: correct the path/) },
      { code: 1, text: expect.stringMatching(/export \{ quiet, anomalous \} there/) },
      { code: 1, text: expect.stringMatching(/expected \{ quiet: \[…\], anomalous: \[…\] \}/) },
      { code: 1, text: expect.stringMatching(/build the package \(npm run build\)/) },
    ]);
  });
});
