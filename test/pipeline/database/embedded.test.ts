/** The embedded database when things go wrong: statements that never end, killed processes, two processes at one directory. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Database } from '../../../src/database/database';
import { findRunningServer, holdDirectory } from '../../../src/database/embedded/directory-lock';
import { EmbeddedSession } from '../../../src/database/embedded/session';
import { openDatabase, type OpenDatabaseOptions } from '../../../src/database/open';
import { testLog } from '../../support/database';

let directory: string;
const opened: Database[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simwarden-test-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((database) => database.close()));
  rmSync(directory, { recursive: true, force: true });
});

const open = async (options: Partial<OpenDatabaseOptions> = {}): Promise<Database> => {
  const database = await openDatabase({ dataDirectory: directory, entities: [], log: testLog, leaseTimeoutMs: 60_000, ...options });
  opened.push(database);
  return database;
};

const write = (database: Database, name: string): Promise<unknown> =>
  database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    tx.query(`INSERT INTO lease (name, held_until) VALUES ($1, 'epoch')`, [name]),
  );

const names = async (database: Database): Promise<string[]> => {
  const rows = await database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    tx.query<{ name: string }>('SELECT name FROM lease ORDER BY name'),
  );
  return rows.map(({ name }) => name);
};

const neverEnding = `SELECT count(*) FROM generate_series(1, 1000000000000)`;

test('what was written is there after closing and opening again', async () => {
  const first = await open();
  await write(first, 'kept');
  await first.close();
  expect(await names(await open())).toEqual(['kept']);
});

test('a statement that overruns its time is answered in time; its transaction is undone, the data stays, work goes on', async () => {
  const database = await open();
  await write(database, 'before');
  const overrun = database.transaction({ name: 'test', role: 'ingest', statementTimeoutMs: 300 }, async (tx) => {
    await tx.query(`INSERT INTO lease (name, held_until) VALUES ('in flight', 'epoch')`);
    await tx.query(neverEnding);
  });
  const waiting = names(database);
  await expect(overrun).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT', details: { milliseconds: 300 } });
  expect(await waiting).toEqual(['before']);
  await write(database, 'after');
  expect(await names(database)).toEqual(['after', 'before']);
});

test('in memory a statement that overruns its time is answered in time too, and the data stays', async () => {
  const database = await open({ inMemory: true });
  await write(database, 'before');
  const overrun = database.transaction({ name: 'test', role: 'ingest', statementTimeoutMs: 50 }, (tx) =>
    tx.query('SELECT count(*) FROM generate_series(1, 5000000)'),
  );
  await expect(overrun).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT' });
  expect(await names(database)).toEqual(['before']);
});

test('who waits too long for the session is told so, and the session goes on', async () => {
  // Opening takes the session too, and must get it in that time.
  const database = await open({ inMemory: true, leaseTimeoutMs: 2_000 });
  let waiting: Promise<unknown> = Promise.resolve();
  await database.transaction({ name: 'test', role: 'ingest' }, async () => {
    waiting = names(database);
    await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_BUSY', details: { milliseconds: 2_000 } });
  });
  expect(await names(database)).toEqual([]);
});

test("when the database's thread dies, what was in flight fails clearly and the next request finds the data", async () => {
  const threads: Worker[] = [];
  const session = new EmbeddedSession({
    directory: join(directory, 'pgdata'),
    prepare: () => Promise.resolve(null),
    log: testLog,
    onThread: (thread) => threads.push(thread),
  });
  const ask = async (sql: string): Promise<string> => Buffer.from(await session.exchange(queryMessage(sql))).toString('latin1');
  await session.open();
  await ask("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('stored')");
  const inFlight = ask(`BEGIN; INSERT INTO kept VALUES ('lost'); ${neverEnding}`);
  await threads[0]!.terminate();
  await expect(inFlight).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  const answer = await ask('SELECT word FROM kept');
  expect(answer).toContain('stored');
  expect(answer).not.toContain('lost');
  await session.close();
});

test('a second process is refused, and told why, by whichever path it names the directory', async () => {
  await open();
  await expect(open()).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  await expect(open({ dataDirectory: join(directory, '..', directory.split('/').at(-1)!) })).rejects.toMatchObject({
    code: 'DATA_DIRECTORY_IN_USE',
  });
  const child = startWriter(0);
  expect(await firstLine(child)).toBe('failed DATA_DIRECTORY_IN_USE');
});

test('a process that is killed while it writes loses no row it had committed, and its directory opens again', async () => {
  let acknowledged = -1;
  for (let round = 0; round < 2; round++) {
    const child = startWriter(acknowledged + 1);
    const enough = acknowledged + 40;
    let rest = '';
    child.stdout!.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) acknowledged = Math.max(acknowledged, Number(line));
      if (acknowledged >= enough) child.kill('SIGKILL');
    });
    await once(child, 'close');
    // The row in flight may have been committed without being said.
    const database = await open();
    const stored = await names(database);
    expect(stored).toEqual(expect.arrayContaining(Array.from({ length: acknowledged + 1 }, (_, number) => `row ${number}`)));
    acknowledged = stored.length - 1;
    await database.close();
  }
  expect(acknowledged).toBeGreaterThanOrEqual(79);
});

test('a first start that was killed half-way begins anew', async () => {
  mkdirSync(join(directory, 'pgdata'));
  writeFileSync(join(directory, 'pgdata', 'PG_VERSION'), '18\n');
  writeFileSync(join(directory, 'unfinished'), '');
  const database = await open();
  await write(database, 'works');
  expect(readdirSync(directory).sort()).toEqual(['lock', 'pgdata']);
  expect(statSync(join(directory, 'pgdata')).mode & 0o777).toBe(0o700);
});

describe('the hold on a directory', () => {
  test("is one process's; its socket can be reached, and it is free after release", async () => {
    expect(await findRunningServer(directory)).toBeNull();
    const lock = await holdDirectory(directory);
    await expect(holdDirectory(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
    expect(statSync(join(directory, 'lock')).mode & 0o777).toBe(0o700);
    lock.server.on('connection', (socket) => socket.end('hello'));
    const socket = createConnection((await findRunningServer(directory))!);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    expect(greeting.toString()).toBe('hello');
    await lock.release();
    expect(await findRunningServer(directory)).toBeNull();
    await (await holdDirectory(directory)).release();
  });

  test('is taken over from a killed process, by exactly one of many that come at once', async () => {
    for (let round = 0; round < 5; round++) {
      const child = startHolder();
      expect(await firstLine(child)).toBe('held');
      child.kill('SIGKILL');
      await once(child, 'close');
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => holdDirectory(directory)));
      const holders = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(holders).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
      }
      await holders[0]!.value.release();
    }
    expect(readdirSync(join(directory, 'lock'))).toHaveLength(1);
  });

  test('works in a directory whose path is too long for a socket', async () => {
    const deep = join(directory, 'd'.repeat(90), 'e'.repeat(90));
    const lock = await holdDirectory(deep);
    await expect(holdDirectory(deep)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
    expect(await findRunningServer(deep)).not.toBeNull();
    await lock.release();
    expect(await findRunningServer(deep)).toBeNull();
  });
});

/** A simple query of PostgreSQL's wire protocol. */
function queryMessage(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`);
  const head = Buffer.from('Q\0\0\0\0');
  head.writeUInt32BE(text.length + 4, 1);
  return new Uint8Array(Buffer.concat([head, text]));
}

function start(script: string, ...parameters: string[]): ChildProcess {
  const register = resolve('test/support/register-typescript.js');
  const child = spawn(process.execPath, ['-r', register, script, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  children.push(child);
  return child;
}

function startWriter(from: number): ChildProcess {
  return start(resolve('test/pipeline/database/writer-process.ts'), directory, String(from));
}

function startHolder(): ChildProcess {
  return start(resolve('test/pipeline/database/holder-process.ts'), directory);
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout!, 'data')) as [string];
  return text.split('\n')[0]!;
}
