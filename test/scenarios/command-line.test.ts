/** What is wrong is said in one line, and the exit code says that something was: so that a script can tell. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPERATOR_KEY } from '../faults/usage-story';
import { simwarden } from '../support/command-line';

const directory = mkdtempSync(join(tmpdir(), 'simwarden-command-line-'));
const environment = { SIMWARDEN_DATA_DIR: join(directory, 'data'), PORT: '0' };
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = join(directory, 'sims.csv');
writeFileSync(file, 'iccid,client,fleet,family\n8934000000000000001,Acme,meters,meter\n');

interface Mistake {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly said: RegExp;
}

/** None of these needs a database to be found. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'an unknown command': { args: ['frobnicate'], said: /^error: unknown command 'frobnicate'$/ },
  'an unknown option': { args: ['serve', '--frobnicate'], said: /^error: unknown option '--frobnicate'$/ },
  'a port that is none': {
    args: ['serve'],
    environment: { PORT: 'http' },
    said: /^CONFIGURATION_INVALID: Configuration PORT="http" is not valid: /,
  },
  'a key that is too short': {
    args: ['serve'],
    environment: { SIMWARDEN_OPERATOR_KEY: 'secret' },
    said: /^CONFIGURATION_INVALID: Configuration SIMWARDEN_OPERATOR_KEY="\(hidden\)" is not valid: 32 to 512 /,
  },
  'no kind of file': { args: ['ingest'], said: /^error: missing required argument 'kind'$/ },
  'a kind of file that there is none of': {
    args: ['ingest', 'usages', file],
    said: /^error: command-argument value 'usages' is invalid for argument 'kind'\. Allowed choices are sims, usage, /,
  },
  'a file that is missing': {
    args: ['ingest', 'usage', join(directory, 'missing.csv')],
    said: /^FILE_UNREADABLE: .*missing\.csv can't be read: there is no such file\.$/,
  },
  'a directory for a file': { args: ['ingest', 'usage', directory], said: /^FILE_UNREADABLE: .* can't be read: it is a directory\.$/ },
  'an address that is none': {
    args: ['ingest', 'usage', file, '--url', 'nowhere'],
    said: /^error: option '--url <url>' argument 'nowhere' is invalid\. expected a URL, /,
  },
  'a server elsewhere without a key': {
    args: ['ingest', 'usage', file, '--url', 'http://127.0.0.1:1'],
    said: /^CONFIGURATION_INVALID: Configuration SIMWARDEN_OPERATOR_KEY="" is not valid: /,
  },
  'a server that is not there': {
    args: ['ingest', 'usage', file, '--url', 'http://127.0.0.1:1'],
    environment: { SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY },
    said: /^SERVER_UNREACHABLE: The server at http:\/\/127\.0\.0\.1:1 can't be reached \(.*ECONNREFUSED.*\)\./,
  },
  'nowhere to simulate to': { args: ['simulate'], said: /^error: required option '--out <directory>' not specified$/ },
  'a file to simulate to': {
    args: ['simulate', '--out', file, '--sims', '60', '--days', '9'],
    said: /^FILE_UNWRITABLE: .*sims\.csv can't be written: there is a file where a directory is needed; name a directory\.$/,
  },
  'too few SIMs': {
    args: ['simulate', '--out', directory, '--sims', '3'],
    said: /^error: option '--sims <n>' argument '3' is invalid\. expected a whole number from 60 to /,
  },
  'a day that there is none of': {
    args: ['simulate', '--out', directory, '--end', '2026-02-30'],
    said: /^error: option '--end <date>' argument '2026-02-30' is invalid\. expected a date, /,
  },
  'a number in words': { args: ['demo', '--days', 'ten'], said: /^error: option '--days <n>' argument 'ten' is invalid\./ },
  'a database that is not there': {
    args: ['migrate'],
    environment: { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none' },
    said: /^DATABASE_UNAVAILABLE: .*ECONNREFUSED/,
  },
};

test.each(Object.entries(mistakes))('%s', async (_, mistake) => {
  const { code, stdout, stderr } = await simwarden(mistake.args, { ...environment, ...mistake.environment });
  expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(mistake.said)]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(readdirSync(directory)).toEqual(['sims.csv']);
});

test('a file that is refused or has bad rows is reported with its lines, and the exit code says so', async () => {
  const home = { SIMWARDEN_DATA_DIR: join(mkdtempSync(join(tmpdir(), 'simwarden-command-line-')), 'data') };
  const bad = join(directory, 'bad.csv');
  writeFileSync(bad, `${readFileSync(file, 'utf8')}not-an-iccid,Acme,meters,meter\n`);
  const rows = await simwarden(['ingest', 'sims', bad], home);
  expect(rows).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^batch sha256:\w+: 1 accepted, 0 duplicates, 1 rejected\n {2}line 3: \w+: .*\n$/),
  });
  const header = await simwarden(['ingest', 'usage', file], home);
  expect(header.code).toBe(1);
  expect(header.stderr.trim().split('\n').at(-1)).toMatch(
    /^HEADER_INVALID: The CSV header is wrong: column "client" is unknown\..* Nothing was stored\.$/,
  );
  rmSync(join(home.SIMWARDEN_DATA_DIR, '..'), { recursive: true, force: true });
});

test('a simulated population is written as the files that ingest takes', async () => {
  const out = join(directory, 'population');
  const { code, stdout } = await simwarden(['simulate', '--out', out, '--sims', '60', '--days', '9'], environment);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^60 SIMs, 9 days, 5 stories: /) });
  expect(readdirSync(out)).toEqual(expect.arrayContaining(['sims.csv', 'truth.json', 'usage-2026-11-14.csv', 'dialogues-2026-11-14.csv']));
  const home = { SIMWARDEN_DATA_DIR: join(directory, 'population-data') };
  expect(await simwarden(['ingest', 'sims', join(out, 'sims.csv')], home)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(': 60 accepted'),
  });
});
