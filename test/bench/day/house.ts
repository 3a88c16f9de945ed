/** A database of its own with servers before it, each in a process of its own, and a sender that isn't counted. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ServedDay } from './server';

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const KEY = 'bench-operator-key-bench-operator-key';

/** Sends a file in a process of its own, so that reading it isn't counted as the server's work; answers the body. */
const SENDER = `
const [url, file, key, batch] = process.argv.slice(1);
const request = require('node:http').request(url, { method: 'POST', headers: { authorization: 'Bearer ' + key, 'content-type': 'text/csv',
  'idempotency-key': batch, 'simwarden-source': 'bench' } }, (response) => response.pipe(process.stdout));
require('node:fs').createReadStream(file, { highWaterMark: 1 << 18 }).pipe(request);
`;

export class BenchDatabase {
  private constructor(
    private readonly admin: Client,
    private readonly name: string,
    readonly url: string,
  ) {}

  static async create(name: string): Promise<BenchDatabase> {
    const admin = new Client({ connectionString: SERVER });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(SERVER);
    url.pathname = `/${name}`;
    return new BenchDatabase(admin, name, url.toString());
  }

  /** What was written before is on disk and its statistics are known, as on a database that has lived with it. */
  async rest(): Promise<void> {
    const own = await this.connect();
    await own.query('ANALYZE');
    await own.query('CHECKPOINT');
    await own.end();
  }

  async count(statement: string): Promise<number> {
    const own = await this.connect();
    const { rows } = await own.query<{ count: string }>(statement);
    await own.end();
    return Number(rows[0]!.count);
  }

  async drop(): Promise<void> {
    await this.admin.query(`DROP DATABASE ${this.name} WITH (FORCE)`);
    await this.admin.end();
  }

  private async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    return client;
  }
}

export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(served: Omit<ServedDay, 'operatorKey'>): Promise<ServerProcess> {
    const what = JSON.stringify({ ...served, operatorKey: KEY });
    const child = fork(join(__dirname, 'server.ts'), [what], { execArgv: process.execArgv });
    return new ServerProcess(child, await answerOf<string>(child));
  }

  ask<Answer>(what: 'begin' | 'settle' | 'usage'): Promise<Answer> {
    const answer = answerOf<Answer>(this.child);
    this.child.send(what);
    return answer;
  }

  /** Answers when all of it is committed. */
  async post(kind: string, file: string, batch: string, rows: number): Promise<void> {
    const sender = spawn(process.execPath, ['-e', SENDER, `${this.url}/ingest/${kind}`, file, KEY, batch], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let body = '';
    sender.stdout.on('data', (part: Buffer) => (body += part.toString()));
    await once(sender, 'close');
    const { accepted } = JSON.parse(body) as { accepted?: number };
    if (accepted !== rows) throw new Error(`expected ${rows} rows accepted, got ${body.slice(0, 500)}`);
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.send('close');
    await exit;
  }
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const exit = once(child, 'exit').then(([code]) => ({ error: `the server ended with code ${code}` }));
  const told = once(child, 'message').then(([message]) => message as { value: Answer; error?: string });
  const { value, error } = { value: undefined, ...(await Promise.race([told, exit])) };
  if (error !== undefined) throw new Error(error);
  return value as Answer;
}
