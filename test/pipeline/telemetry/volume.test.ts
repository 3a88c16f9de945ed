/** Memory stays bounded, whatever is sent. */
import { gzipSync } from 'node:zlib';
import { iccidOf, forgetTelemetry, openHouse, registerSims, send, stateOf, usageLine, USAGE_HEADER, type House } from './house';

let house: House;
const MEBIBYTE = 1024 * 1024;

beforeAll(async () => {
  house = await openHouse(1000);
  await registerSims(house, 'Acme', 'meters', 1, 50);
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

/** How much the process grew at most while `work` ran. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return (Math.max(most, process.memoryUsage().rss) - before) / MEBIBYTE;
}

async function* longLine(mebibytes: number): AsyncGenerator<Buffer> {
  yield Buffer.from(USAGE_HEADER + usageLine(0, 50));
  for (let i = 0; i < mebibytes * 16; i++) {
    // Fresh memory each time, as from a network; a turn of the event loop, as a network gives.
    yield Buffer.alloc(MEBIBYTE / 16, 'x');
    if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  yield Buffer.from(`\n${usageLine(1, 50)}`);
}

test('a line of a gigabyte is one bad row, between good ones', async () => {
  let answer: unknown;
  const grown = await growth(async () => {
    answer = await send(house, 'usage', '', { body: longLine(1024) });
  });
  expect(answer).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 3, code: 'LINE_TOO_LONG' }] });
  expect(grown).toBeLessThan(150);
});

test('a decompression bomb is one bad row', async () => {
  const bomb = gzipSync(
    Buffer.concat([Buffer.from(USAGE_HEADER + usageLine(0, 50)), Buffer.alloc(150 * MEBIBYTE), Buffer.from(`\n${usageLine(1, 50)}`)]),
  );
  let answer: unknown;
  const grown = await growth(async () => {
    answer = await send(house, 'usage', bomb, { gzip: true });
  });
  expect(answer).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 3, code: 'LINE_TOO_LONG' }] });
  expect(grown).toBeLessThan(150);
});

test('the body waits for the database: no more than two chunks are read ahead', async () => {
  let read = 0;
  let furthestAhead = 0;
  let stored = 0;
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(USAGE_HEADER);
    for (; read < 20_000; read++) {
      furthestAhead = Math.max(furthestAhead, read - stored);
      yield await Promise.resolve(Buffer.from(usageLine(read, 50)));
    }
  }
  const answer = await send(house, 'usage', '', { body: body(), onProgress: (progress) => (stored = progress.accepted) });
  expect(answer).toMatchObject({ accepted: 20_000, rejected: 0 });
  expect(furthestAhead).toBeLessThanOrEqual(3000);
});

test("counts that don't fit are kept at the greatest number instead of keeping good rows out", async () => {
  const row = (n: number): string => `r${n},${iccidOf(1)},2026-11-20T10:00:00Z,2026-11-20T10:30:00Z,9007199254740991,9007199254740991\n`;
  const file = (from: number): string =>
    `record_id,iccid,started_at,ended_at,uplink_bytes,downlink_bytes\n${Array.from({ length: 1000 }, (_, n) => row(from + n)).join('')}`;
  for (const from of [0, 1000]) expect(await send(house, 'usage', file(from))).toMatchObject({ accepted: 1000 });
  const { simHours } = await stateOf(house);
  expect(simHours).toMatchObject([{ uplink_bytes: '9223372036854775807' }]);
});
