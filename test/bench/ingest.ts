/** How fast dialogues come in over HTTP, beside a raw server-side COPY of the same rows into the same kind of leaf. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createApp, type App } from '../../src/app';
import { Config } from '../../src/config';
import { processLog } from '../../src/log';
import { FEED_HEADER, feedInventory, writeFeed, type Feed } from './dialogue-feed';
import { interleave, medianOf, ratio, type Report, type Side, type Suite, type SuiteOptions } from './harness';

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const KEY = 'bench-operator-key-bench-operator-key';
const SIMS = 20_000;
const READYZ_POLL_MILLISECONDS = 50;
const MEMORY_POLL_MILLISECONDS = 50;

/**
 * Sends a file in a process of its own, so that reading it isn't counted as the server's work; answers the body. It begins when it is told to: how long
 * a process takes to start is nobody's ingest.
 */
const SENDER = `
const [url, file, key, strict, batch, times, headerBytes] = process.argv.slice(1);
process.stdin.once('data', () => {
  const request = require('node:http').request(url, { method: 'POST', headers: { authorization: 'Bearer ' + key, 'content-type': 'text/csv',
    'idempotency-key': batch, 'simwarden-source': 'bench', 'simwarden-strict': strict } }, (response) => {
    response.pipe(process.stdout);
    response.once('end', () => process.exit());
  });
  (async () => {
    for (let time = 0; time < Number(times); time++)
      for await (const piece of require('node:fs').createReadStream(file, { start: time && Number(headerBytes), highWaterMark: 1 << 18 }))
        if (!request.write(piece)) await require('node:events').once(request, 'drain');
    request.end();
  })();
});
process.stdout.write('ready');
`;

interface Answer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
}

interface Sending {
  readonly strict?: boolean;
  /** How often the file's rows are sent in the one body. */
  readonly times?: number;
}

/** Answers what sends the file when it is called. */
async function readySender(
  app: App,
  file: string,
  batch: string,
  { strict = false, times = 1 }: Sending = {},
): Promise<() => Promise<Answer>> {
  const given = [`${app.url}/ingest/dialogues`, file, KEY, strict ? '1' : '0', batch, String(times), String(FEED_HEADER.length)];
  const child = spawn(process.execPath, ['-e', SENDER, ...given], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    let body = '';
    child.stdout.on('data', (part: Buffer) => (body += part.toString()));
    child.stdin.end('send');
    await once(child, 'close');
    const answer = JSON.parse(body) as Answer & { error?: { message: string } };
    if (answer.error) throw new Error(answer.error.message);
    return answer;
  };
}

async function post(app: App, file: string, batch: string, sending?: Sending): Promise<Answer> {
  const send = await readySender(app, file, batch, sending);
  return send();
}

function expectCounts(answer: Answer, accepted: number, duplicates: number): void {
  if (answer.accepted !== accepted || answer.duplicates !== duplicates || answer.rejected !== 0)
    throw new Error(`expected ${accepted} accepted and ${duplicates} duplicates, got ${JSON.stringify(answer)}`);
}

/** An app with the feed's SIMs. */
async function openApp(databaseUrl: string | null, directory: string, chunkRows = 0): Promise<App> {
  const config = new Config({
    databaseUrl,
    dataDirectory: join(directory, 'data'),
    port: 0,
    operatorKey: KEY,
    statementTimeoutMilliseconds: 120_000,
    chunkRows,
  });
  const app = await createApp({ config, log: processLog('error'), workers: false });
  const response = await fetch(`${app.url}/ingest/sims`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'text/csv' },
    body: feedInventory({ sims: SIMS }),
  });
  expectCounts((await response.json()) as Answer, SIMS, 0);
  return app;
}

const EMPTIED = [
  'dialogue',
  'signaling_part',
  'signaling_quarter_hour',
  'signaling_day',
  'dialogue_cell',
  'dialogue_segment',
  'ingest_chunk',
  'source_watermark',
];

/** HTTP, plain and strict, against COPY, on PostgreSQL. */
async function onPostgresql(directory: string, options: SuiteOptions): Promise<Report> {
  const feed = feedOf(options.full ? 2_000_000 : 500_000);
  const file = join(directory, 'feed.csv');
  await writeFeed(file, feed);
  const name = `simwarden_bench_${process.pid}`;
  const admin = new Client({ connectionString: SERVER });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  const app = await openApp(url.toString(), directory);
  const raw = new Client({ connectionString: url.toString() });
  await raw.connect();
  try {
    const leaf = `raw_dialogue_${feed.day.replaceAll('-', '')}`;
    const resolved = join(directory, 'resolved.csv');
    expectCounts(await post(app, file, 'first'), feed.rows, 0);
    expectCounts(await post(app, file, 'first'), feed.rows, 0);
    const stored = await raw.query<{ n: string }>('SELECT count(*) AS n FROM dialogue');
    if (Number(stored.rows[0]!.n) !== feed.rows) throw new Error('the repeated batch added rows');
    await raw.query(`COPY (SELECT * FROM dialogue) TO '${resolved}' (FORMAT csv)`);
    await raw.query('CREATE TABLE raw_dialogue (LIKE dialogue INCLUDING DEFAULTS) PARTITION BY RANGE (day)');
    await raw.query(`CREATE TABLE ${leaf} PARTITION OF raw_dialogue FOR VALUES FROM ('${feed.day}') TO ('${dayAfter(feed.day)}')`);
    const prepare = async (): Promise<void> => {
      await raw.query(`TRUNCATE raw_dialogue, ${EMPTIED.join(', ')}`);
      await raw.query('CHECKPOINT');
    };
    let batch = 0;
    const sideOf = (name: string, strict: boolean): Side => {
      let send: () => Promise<Answer>;
      return {
        name,
        prepare: async () => {
          send = await readySender(app, file, `run ${++batch}`, { strict });
          await prepare();
        },
        run: async () => expectCounts(await send(), feed.rows, 0),
      };
    };
    const samples = await interleave(
      [
        { name: 'copy', prepare, run: async () => void (await raw.query(`COPY ${leaf} FROM '${resolved}' (FORMAT csv)`)) },
        sideOf('http', false),
        sideOf('strict', true),
      ],
      options,
    );
    await prepare();
    const doubled = join(directory, 'doubled.csv');
    await writeFeed(doubled, feed, 2);
    expectCounts(await post(app, doubled, 'doubled', { strict: true }), feed.rows, feed.rows);
    const memory = options.full ? await memoryByRows(app, directory, prepare) : {};
    const perSecond = (side: string): number => feed.rows / medianOf(samples, side, 'wallSeconds');
    return {
      ratios: {
        http_vs_copy: ratio(samples, 'http', 'copy', 'wallSeconds'),
        strict_vs_copy: ratio(samples, 'strict', 'copy', 'wallSeconds'),
      },
      figures: {
        rows: feed.rows,
        copy_rows_per_second: perSecond('copy'),
        http_rows_per_second: perSecond('http'),
        strict_rows_per_second: perSecond('strict'),
        http_server_cpu_seconds: medianOf(samples, 'http', 'cpuSeconds'),
        strict_server_cpu_seconds: medianOf(samples, 'strict', 'cpuSeconds'),
        duplicates_counted: feed.rows,
        ...memory,
      },
    };
  } finally {
    await raw.end();
    await app.close();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}

/** Whether the server holds more of a body because it is longer: the most memory that it has while 1 million rows come in, and 20 million. */
async function memoryByRows(app: App, directory: string, prepare: () => Promise<void>): Promise<Report['figures']> {
  const feed = feedOf(1_000_000);
  const file = join(directory, 'million.csv');
  await writeFeed(file, feed);
  const peaks: number[] = [];
  for (const times of [1, 20]) {
    await prepare();
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), MEMORY_POLL_MILLISECONDS);
    expectCounts(await post(app, file, `${times} million`, { times }), feed.rows * times, 0);
    clearInterval(watch);
    peaks.push(peak);
  }
  const [few, many] = peaks as [number, number];
  return { memory_1m_mib: few / 1_048_576, memory_20m_mib: many / 1_048_576, memory_20m_vs_1m: many / few };
}

/** Rows per second on the embedded database by rows of a chunk. */
async function embeddedByChunk(directory: string, file: string, rows: number): Promise<Report['figures']> {
  const figures: Record<string, number> = {};
  for (const chunkRows of [5_000, 20_000, 50_000]) {
    const app = await openApp(null, mkdtempSync(join(directory, 'chunks-')), chunkRows);
    try {
      const before = performance.now();
      expectCounts(await post(app, file, 'chunks'), rows, 0);
      figures[`embedded_rows_per_second_chunks_of_${chunkRows}`] = rows / ((performance.now() - before) / 1000);
    } finally {
      await app.close();
    }
  }
  return figures;
}

/** The same door on the embedded database, and whether the process answers meanwhile. */
async function onEmbedded(directory: string, options: SuiteOptions): Promise<Report['figures']> {
  const feed = feedOf(options.full ? 2_000_000 : 300_000);
  const file = join(directory, 'embedded.csv');
  await writeFeed(file, feed);
  const byChunk = options.full ? await embeddedByChunk(directory, file, feed.rows) : {};
  const app = await openApp(null, directory);
  let longest = 0;
  let asking = true;
  const ask = async (): Promise<void> => {
    while (asking) {
      const before = performance.now();
      await (await fetch(`${app.url}/readyz`)).text();
      longest = Math.max(longest, performance.now() - before);
      await new Promise((resolve) => setTimeout(resolve, READYZ_POLL_MILLISECONDS));
    }
  };
  try {
    const asked = ask();
    const before = performance.now();
    expectCounts(await post(app, file, 'embedded'), feed.rows, 0);
    const seconds = (performance.now() - before) / 1000;
    asking = false;
    await asked;
    const strictBefore = performance.now();
    expectCounts(await post(app, file, 'strict', { strict: true }), feed.rows, 0);
    return {
      embedded_rows_per_second: feed.rows / seconds,
      embedded_strict_rows_per_second: feed.rows / ((performance.now() - strictBefore) / 1000),
      embedded_longest_readyz_ms: longest,
      embedded_peak_mib: process.resourceUsage().maxRSS / 1024,
      ...byChunk,
    };
  } finally {
    asking = false;
    await app.close();
  }
}

function feedOf(rows: number): Feed {
  return { sims: SIMS, rows, day: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}

export const suite: Suite = {
  name: 'ingest',
  summary:
    'Dialogues over HTTP (sender in a process of its own, committed, with their counters), plain and strict, against server-side COPY csv of the rows already resolved; one connection each, a checkpoint before each.',
  async run(options) {
    const directory = mkdtempSync(join(tmpdir(), 'simwarden-bench-'));
    chmodSync(directory, 0o777); // the database server writes its own file here
    try {
      const { ratios, figures } = await onPostgresql(directory, options);
      return { ratios, figures: { ...figures, ...(await onEmbedded(directory, options)) } };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
