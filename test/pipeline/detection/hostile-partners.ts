/** Partners' packages that do what they must not, written to disk as they would be installed: each costs at most its own verdict. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface HostilePartner {
  readonly id: string;
  /** What it does first in `detect`; its answer is a healthy one but for this. */
  readonly body: string;
  /** What is told of it. */
  readonly told: RegExp;
}

export const hostilePartners: readonly HostilePartner[] = [
  { id: 'throws', body: `throw new RangeError('no\\0 luck')`, told: /RangeError: no. luck/s },
  { id: 'hangs', body: `for (;;);`, told: /no answer within 2000 ms/ },
  { id: 'never-answers', body: `return new Promise(() => setInterval(() => {}, 1000))`, told: /no answer within 2000 ms/ },
  {
    id: 'fills-heap',
    body: `const held = []; for (;;) held.push({ held, text: String(held.length) })`,
    told: /out of heap|more than 128 MB/,
  },
  { id: 'fills-buffers', body: `const held = []; for (;;) held.push(Buffer.alloc(1 << 20, 1))`, told: /more than 128 MB/ },
  { id: 'nan', body: `return { ...well(input), scores: new Float64Array(input.rows).fill(NaN) }`, told: /finite score, got NaN at row 0/ },
  {
    id: 'too-long',
    body: `return { ...well(input), scores: new Float64Array(input.rows + 1) }`,
    told: /Float64Array of 3, got Float64Array of 4/,
  },
  { id: 'plain-list', body: `return { ...well(input), scores: [1, 2, 3] }`, told: /Float64Array, got Array of 3/ },
  { id: 'nothing', body: `return undefined`, told: /expected a detection, got nothing/ },
  { id: 'huge', body: `return { ...well(input), scores: new Float64Array(1e6) }`, told: /more than the \d+ that it may have/ },
  { id: 'exits', body: `process.exit(3)`, told: /exited with code 3/ },
  { id: 'kills-itself', body: `process.kill(process.pid, 'SIGKILL')`, told: /ended by SIGKILL/ },
  { id: 'stops-itself', body: `process.kill(process.pid, 'SIGSTOP'); for (;;);`, told: /no answer within 2000 ms/ },
  {
    id: 'edits-prototypes',
    body: `Array.prototype.push = Object.prototype.toString = Float64Array.prototype.fill = () => { throw new Error('edited') }; Object.prototype.polluted = true`,
    told: /./,
  },
  { id: 'reads-a-file', body: `require('fs').readFileSync('/etc/hostname')`, told: /restricted/ },
  { id: 'writes-a-file', body: `require('fs').writeFileSync(__dirname + '/loot', 'x')`, told: /restricted/ },
  { id: 'reads-the-environment', body: `throw new Error('saw ' + JSON.stringify(process.env))`, told: /saw \{\}/ },
  { id: 'spawns', body: `require('child_process').execFileSync('id')`, told: /restricted/ },
  { id: 'starts-a-thread', body: `new (require('worker_threads').Worker)('1', { eval: true })`, told: /restricted/ },
  { id: 'rejects-late', body: `return new Promise(() => Promise.reject(new Error('late')))`, told: /exited with code 1/ },
  {
    id: 'floods',
    body: `const bytes = Buffer.alloc(1 << 16, 1); for (;;) try { require('fs').writeSync(3, bytes) } catch {}`,
    told: /more than the \d+ that it may have/,
  },
  {
    id: 'forges-answers',
    body: `const json = '{"words":{"reasons":[],"kinds":[],"has":["fires"]},"numbers":[["f64",1e9]]}'; const head = Buffer.alloc(8); head.writeUInt32LE(json.length, 0); head.writeUInt32LE(json.length, 4); require('fs').writeSync(3, Buffer.concat([head, Buffer.from(json)])); return new Promise(() => {})`,
    told: /an answer that ends early/,
  },
];

/** A package in a folder of its own; answers the folder. `extra`: files beside the entry. */
export function writePartner(root: string, id: string, body: string, extra: Readonly<Record<string, string>> = {}): string {
  const folder = join(root, id);
  mkdirSync(folder, { recursive: true });
  const files = {
    'package.json': JSON.stringify({ name: id, version: '1.0.0', main: 'index.js' }),
    'index.js': partnerSource(id, body),
    ...extra,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Fires above 100 bytes a day, in plain JavaScript. */
export function partnerSource(id: string, body = ''): string {
  return `
const { defineDetector } = require('simwarden/detector');
const well = ({ rows, columns: { dayBytes } }) => ({
  scores: Float64Array.from(dayBytes, (bytes) => bytes / 100),
  fires: Uint8Array.from(dayBytes, (bytes) => (bytes > 100 ? 1 : 0)),
});
exports.default = defineDetector({
  meta: {
    id: '${id}', version: '1.0.0', contract: 1, title: 'T', summary: 'S.', limits: 'L.', input: 'usage', needs: ['dayBytes'],
    kinds: [{ id: 'HIGH', title: 'High', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' }],
    options: { type: 'object', additionalProperties: false, properties: {} }, decides: 'itself', scope: 'client',
  },
  detect(input, context) {
    ${body};
    return well(input);
  },
  explain: (input, asked) => asked.map(({ row }) => [
    { column: 'dayBytes', observed: input.columns.dayBytes[row], expected: 100, unit: 'bytes', weight: 1, text: 'too much' },
  ]),
});
`;
}
