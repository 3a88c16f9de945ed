/** What the sender of a signaling feed may rely on. */
import { gzipSync } from 'node:zlib';
import { Config } from '../../../src/config';
import { Role } from '../../../src/graphql/caller';
import { SystemEntropy } from '../../../src/runtime';
import { ChunkStore, Ingest } from '../../../src/telemetry';
import { MOST_NODES } from '../../../src/telemetry/dialogues/node-names';
import { DIALOGUE_HEADER, dialogueFile, dialogueLine, imsiOf, registerImsis } from './dialogue-house';
import { callerOf, count, dialogueParts, digestOf, forgetTelemetry, openHouse, pieces, send, stateOf, type House } from './house';

let house: House;
let acme: number;
let globex: number;

beforeAll(async () => {
  house = await openHouse(100);
  acme = await registerImsis(house, 'Acme', 1, 20);
  globex = await registerImsis(house, 'Globex', 21, 20);
});
afterAll(() => house.close());
beforeEach(() => forgetTelemetry(house));

const GOOD = `${imsiOf(1)},2026-11-20T10:00:00.5Z,120,MAP,SAI,VLR,SUCCESS,,214-07,vlr1,,\n`;

test("an operator's feed is stored for the clients that its SIMs belong to, and counted", async () => {
  const answer = await send(house, 'dialogues', dialogueFile(0, 250, 40), { batchKey: 'first' });
  expect(answer).toEqual({ batchId: 'first', accepted: 250, duplicates: 0, rejected: 0, errors: [] });
  expect(await count(house, 'dialogue WHERE client_id = $1', [acme])).toBe(130);
  expect(await count(house, 'dialogue WHERE client_id = $1', [globex])).toBe(120);
  const { quarterHours, signalingDays, watermarks } = await stateOf(house);
  const sum = (rows: unknown[] | undefined): number =>
    rows!.reduce<number>((total, row) => total + Number((row as { dialogues: string }).dialogues), 0);
  expect(sum(quarterHours)).toBe(250);
  expect(sum(signalingDays)).toBe(250);
  expect((watermarks as { client_id: number }[]).map((row) => row.client_id)).toEqual([0, acme, globex]);
});

test('every column is stored as it was given', async () => {
  await send(
    house,
    'dialogues',
    `${DIALOGUE_HEADER}${imsiOf(2)},2026-11-20T10:00:00.123456Z,2500,DIAMETER,CL,HOME,REJECT,5004,310-041,mme.épc,SUBSCRIPTION_WITHDRAWAL,true\n`,
  );
  const { dialogues } = await stateOf(house);
  expect(dialogues).toMatchObject([
    {
      client_id: acme,
      day: '2026-11-20',
      started_at: new Date('2026-11-20T10:00:00.123Z'),
      duration_ms: 2500,
      protocol: 2,
      procedure: 4,
      origin: 4,
      outcome: 2,
      result_code: 5004,
      plmn: 620083,
      cancellation_type: 2,
      format_violation: true,
    },
  ]);
  expect(await count(house, `dialogue JOIN network_node USING (node_id) WHERE name = 'mme.épc'`)).toBe(1);
});

test('a batch sent twice answers the same and adds nothing', async () => {
  const body = dialogueFile(0, 250, 50);
  for (const batchKey of ['twice', null]) {
    const first = await send(house, 'dialogues', body, { batchKey });
    const state = await digestOf(house);
    expect(await send(house, 'dialogues', body, { batchKey })).toEqual(first);
    expect(await digestOf(house)).toBe(state);
    expect(first.accepted + first.rejected).toBe(250);
  }
});

test('other content under the same key is a conflict', async () => {
  await send(house, 'dialogues', dialogueFile(0, 100, 30), { batchKey: 'same' });
  const state = await digestOf(house);
  const answer = await send(house, 'dialogues', dialogueFile(50, 150, 30), { batchKey: 'same' });
  expect(answer).toMatchObject({ accepted: 0, stoppedBy: { code: 'BATCH_CONFLICT' } });
  expect(await digestOf(house)).toBe(state);
});

test.each([
  [
    'columns in any order',
    dialogueFile(0, 30, 40)
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(',').reverse().join(','))
      .join('\n') + '\n',
  ],
  ['CRLF and a BOM', `\uFEFF${dialogueFile(0, 30, 40).replaceAll('\n', '\r\n')}`],
  [
    'quotes',
    dialogueFile(0, 30, 40)
      .split('\n')
      .map((line) =>
        line
          .split(',')
          .map((field) => `"${field}"`)
          .join(','),
      )
      .join('\n')
      .replace(/"",?$/, '')
      .replace(/\n""$/, ''),
  ],
  ['blank lines', dialogueFile(0, 30, 40).replaceAll('\n', '\n\n')],
  ['no line break at the end', dialogueFile(0, 30, 40).trimEnd()],
])('%s are the same dialogues', async (_, body) => {
  await send(house, 'dialogues', dialogueFile(0, 30, 40));
  const expected = (await stateOf(house))['dialogues'];
  await forgetTelemetry(house);
  expect(await send(house, 'dialogues', body)).toMatchObject({ accepted: 30, rejected: 0 });
  expect((await stateOf(house))['dialogues']).toEqual(expected);
});

test('NDJSON and gzip are the same dialogues', async () => {
  const file = dialogueFile(0, 30, 40);
  await send(house, 'dialogues', file);
  const expected = (await stateOf(house))['dialogues'];
  const [header, ...lines] = file.trimEnd().split('\n');
  const names = header!.split(',');
  const ndjson = lines
    .map((line) =>
      JSON.stringify(
        Object.fromEntries(
          line.split(',').flatMap((field, i) => (field === '' ? [] : [[names[i], names[i] === 'format_violation' ? true : field]])),
        ),
      ),
    )
    .join('\n');
  for (const [body, more] of [
    [ndjson, { format: 'ndjson' }],
    [gzipSync(file), { gzip: true }],
  ] as const) {
    await forgetTelemetry(house);
    expect(await send(house, 'dialogues', body, more)).toMatchObject({ accepted: 30, rejected: 0 });
    expect((await stateOf(house))['dialogues']).toEqual(expected);
  }
});

test.each([
  ['a time ahead of now', GOOD.replace('2026-11-20T10:00:00.5Z', '2026-11-20T12:05:01Z'), 'TIME_IN_FUTURE', '12:05:01'],
  ['a time older than what is kept', GOOD.replace('2026-11-20T10', '2026-09-19T10'), 'TIME_TOO_OLD', '62'],
  ['a day that is not', GOOD.replace('11-20', '02-30'), 'FIELD_INVALID', 'started_at'],
  ['a protocol that is not', GOOD.replace('MAP', 'CAP'), 'FIELD_INVALID', 'protocol'],
  ['an outcome that is cut', GOOD.replace('SUCCESS', 'SUCC'), 'FIELD_INVALID', 'outcome'],
  ['a missing IMSI', GOOD.replace(imsiOf(1), ''), 'FIELD_MISSING', 'imsi'],
  ['an IMSI of sixteen digits', GOOD.replace(imsiOf(1), `${imsiOf(1)}0`), 'FIELD_INVALID', 'imsi'],
  ['a negative duration', GOOD.replace(',120,', ',-1,'), 'FIELD_INVALID', 'duration_ms'],
  ['a field too few', GOOD.replace(',vlr1', ''), 'FIELD_COUNT', '11'],
  ['a network that is not', GOOD.replace('214-07', '2140'), 'FIELD_INVALID', 'visited_plmn'],
  ['a quote that never closes', GOOD.replace('vlr1', '"vlr1'), 'FIELD_INVALID', 'quotes'],
  ['an unknown SIM', GOOD.replace(imsiOf(1), imsiOf(999)), 'UNKNOWN_SIM', imsiOf(999)],
])('%s costs its own row only', async (_, row, code, said) => {
  const answer = await send(house, 'dialogues', `${DIALOGUE_HEADER}${GOOD}${row}${GOOD}`);
  expect(answer).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 3, code, message: expect.stringContaining(said) }] });
  expect((await stateOf(house))['quarantine']).toHaveLength(1);
});

test('a wrong header is refused and stores nothing', async () => {
  await expect(send(house, 'dialogues', `imsi,colour\n${GOOD}`)).rejects.toMatchObject({ code: 'HEADER_INVALID' });
  await expect(send(house, 'dialogues', '')).rejects.toMatchObject({ code: 'HEADER_INVALID' });
});

test("a client's key stores for its own SIMs only; another's look like missing ones", async () => {
  const caller = callerOf(Role.INGEST, acme, 'acme-key');
  const foreign = GOOD.replace(imsiOf(1), imsiOf(25));
  const missing = GOOD.replace(imsiOf(1), imsiOf(998));
  const answer = await send(house, 'dialogues', `${DIALOGUE_HEADER}${GOOD}${foreign}${missing}`, { caller });
  expect(answer).toMatchObject({ accepted: 1, rejected: 2 });
  const [first, second] = answer.errors;
  expect(first!.message.replace(imsiOf(25), '')).toBe(second!.message.replace(imsiOf(998), ''));
  expect(await count(house, 'dialogue WHERE client_id = $1', [globex])).toBe(0);
  expect(await count(house, 'quarantine WHERE client_id = $1', [acme])).toBe(2);
});

test('in a strict batch every dialogue that was there before is a duplicate, within the file and across files', async () => {
  const lines = Array.from({ length: 300 }, (_, n) => `${dialogueLine(n, 40)}\n`);
  const doubled = DIALOGUE_HEADER + [...lines, ...lines].join('');
  expect(await send(house, 'dialogues', doubled, { strict: true, batchKey: 'a' })).toMatchObject({ accepted: 300, duplicates: 300 });
  expect(await send(house, 'dialogues', doubled, { strict: true, batchKey: 'b' })).toMatchObject({ accepted: 0, duplicates: 600 });
  expect(await count(house, 'dialogue')).toBe(300);
  const more = DIALOGUE_HEADER + lines.slice(0, 50).join('') + dialogueLine(300, 40);
  expect(await send(house, 'dialogues', more, { strict: true, batchKey: 'c' })).toMatchObject({ accepted: 1, duplicates: 50 });
  const other = anotherProcess();
  expect(await send(other, 'dialogues', more, { strict: true, batchKey: 'd' })).toMatchObject({ accepted: 0, duplicates: 51 });
  expect(await send(house, 'dialogues', dialogueFile(301, 303, 40), { batchKey: 'plain' })).toMatchObject({ accepted: 2 });
});

test('two dialogues that differ in one column only are two', async () => {
  const variants = [
    GOOD,
    GOOD.replace('120', '121'),
    GOOD.replace('.5Z', '.501Z'),
    GOOD.replace('MAP', 'DIAMETER'),
    GOOD.replace('vlr1', 'vlr2'),
    GOOD.replace('214-07', '214-007'),
    GOOD.replace('214-07', ''),
    GOOD.replace(',,\n', ',,true\n'),
    GOOD.replace('SUCCESS,', 'SUCCESS,0'),
  ];
  const answer = await send(house, 'dialogues', DIALOGUE_HEADER + variants.join(''), { strict: true });
  expect(answer).toMatchObject({ accepted: variants.length, duplicates: 0 });
});

test.each([false, true])('a body that was cut anywhere ends as the whole one when it is sent again (strict: %s)', async (strict) => {
  const whole = dialogueFile(0, 130, 45);
  await send(house, 'dialogues', whole, { batchKey: 'k', strict });
  const expected = await stateOf(house);
  for (const length of [whole.length - 1, whole.length - 40, Math.floor(whole.length * 0.8), 200]) {
    await forgetTelemetry(house);
    // cut at rest: it looks whole
    await send(house, 'dialogues', whole.slice(0, length), { batchKey: 'k', strict });
    const answer = await send(house, 'dialogues', whole, { batchKey: 'k', strict });
    expect(answer).toMatchObject({ accepted: 120, duplicates: 0, rejected: 10 });
    expect(withoutIds(await stateOf(house))).toEqual(withoutIds(expected));
  }
});

test('a body whose connection breaks is answered with what is stored', async () => {
  const body = Buffer.from(dialogueFile(0, 350, 40));
  async function* broken(): AsyncGenerator<Buffer> {
    yield* pieces(body.subarray(0, body.length * 0.8));
    throw new Error('reset');
  }
  const answer = await send(house, 'dialogues', '', { body: broken(), batchKey: 'cut' });
  expect(answer).toMatchObject({ accepted: 200, stoppedBy: { code: 'TRUNCATED' } });
  expect(await send(house, 'dialogues', body, { batchKey: 'cut' })).toMatchObject({ accepted: 350 });
  expect(await count(house, 'dialogue')).toBe(350);
});

test('dialogues of a SIM that is registered later are stored then, once', async () => {
  const body = Array.from(
    { length: 5 },
    (_, n) => `${imsiOf(500)},${1_763_632_800_000 + 31_536_000_000 + n},,MAP,SAI,VLR,SUCCESS,,214-07,vlr1,,\n`,
  ).join('');
  expect(await send(house, 'dialogues', DIALOGUE_HEADER + body)).toMatchObject({ accepted: 0, rejected: 5 });
  const late = await registerImsis(house, 'Initech', 500, 1);
  expect(await count(house, 'dialogue WHERE client_id = $1', [late])).toBe(5);
  expect(await count(house, `quarantine WHERE state = 'REQUEUED'`)).toBe(5);
  await house.requeuer.drain();
  expect(await count(house, 'dialogue WHERE client_id = $1', [late])).toBe(5);
});

test('a line that is longer than any record is one bad row, whatever the pieces it comes in', async () => {
  const body = DIALOGUE_HEADER + GOOD + 'x'.repeat(70_000) + '\n' + GOOD;
  const first = await send(house, 'dialogues', body, { batchKey: 'long', body: pieces(body, 1 << 20) });
  expect(first).toMatchObject({ accepted: 2, rejected: 1, errors: [{ line: 3, code: 'LINE_TOO_LONG' }] });
  expect(await send(house, 'dialogues', body, { batchKey: 'long', body: pieces(body, 1000) })).toEqual(first);
});

function withoutIds(state: Record<string, unknown[]>): Record<string, unknown[]> {
  return { ...state, quarantine: state['quarantine']!.map((row) => ({ ...(row as object), quarantine_id: null })) };
}

/** Another process over the same database, which remembers nothing. */
function anotherProcess(): House {
  const entropy = new SystemEntropy();
  const { ingest } = dialogueParts(house.database, house.clock, entropy, 100);
  const chunks = new ChunkStore(house.database, house.clock, entropy);
  return { ...house, ingest: new Ingest(chunks, ingest, null as never, house.clock, new Config({ chunkRows: 100 })) };
}

test('where there are as many network nodes as may be, dialogues of known ones are stored and new ones rejected with the reason', async () => {
  await send(house, 'dialogues', DIALOGUE_HEADER + GOOD);
  const before = await house.database.transaction({ name: 'test', role: 'ingest' }, (tx) =>
    tx.query<{ node_id: number }>(
      `INSERT INTO network_node (node_id, name) SELECT nextval('network_node_id')::int4, 'many ' || n FROM generate_series(1, $1) n RETURNING node_id`,
      [MOST_NODES],
    ),
  );
  try {
    const answer = await send(house, 'dialogues', DIALOGUE_HEADER + GOOD.replace('vlr1', 'vlr-too-many') + GOOD.replace('SAI', 'UL'));
    expect(answer).toMatchObject({ accepted: 1, rejected: 1, errors: [{ line: 2, code: 'TOO_MANY_NODES' }] });
    expect(answer.errors[0]!.message).toContain(String(MOST_NODES));
  } finally {
    await house.database.transaction({ name: 'test', role: 'owner' }, (tx) =>
      tx.query('DELETE FROM network_node WHERE node_id >= $1', [before[0]!.node_id]),
    );
  }
});
