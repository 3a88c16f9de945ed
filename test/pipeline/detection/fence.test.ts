/** Partners' code behind its fence: what it does costs its own verdict and its budget, and the operator is told its name. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPartners, type Partners } from '../../../src/detection';
import type { Finding } from '../../../src/detection';
import type { Detector } from '../../../src/detector';
import { checkDetection } from '../../../src/detection/host/detection-check';
import { inputOf, quietEvent, quietSimDay } from '../../../src/detector/testing';
import { hostilePartners, partnerSource, writePartner } from './hostile-partners';
import { DetectionWorld, tinyDetector } from './support';

let root: string;
const opened: Partners[] = [];
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'simwarden-partners-'))));
afterEach(() => Promise.all(opened.splice(0).map((partners) => partners.close())));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function load(...folders: string[]): Promise<readonly Detector[]> {
  const partners = await loadPartners({ detectors: folders, allowPartnerCode: '1', partnerMemoryMegabytes: 128 }, root);
  opened.push(partners);
  return partners.detectors;
}

const input = (detector: Detector) =>
  inputOf(
    detector.meta,
    [50, 150, 5].map((dayBytes) => ({ ...quietSimDay, dayBytes })),
  );
const context = { options: {}, random: () => 0.5, now: 0, signal: new AbortController().signal };

async function verdict(detector: Detector): Promise<string> {
  try {
    const { scores } = checkDetection(detector.meta, 3, await detector.detect(input(detector), context));
    return `scores ${scores.join(' ')}`;
  } catch (error) {
    return String(error);
  }
}

describe('a partner that misbehaves', () => {
  it('costs its own verdict and its budget, whatever it does', async () => {
    const known = Object.getOwnPropertyNames(Object.prototype);
    const detectors = await load(...hostilePartners.map(({ id, body }) => writePartner(root, id, body)));
    const lanes = [0, 1, 2, 3].map(async (lane) => {
      const told: [string, string, number][] = [];
      for (let place = lane; place < detectors.length; place += 4) {
        const started = performance.now();
        told.push([hostilePartners[place]!.id, await verdict(detectors[place]!), performance.now() - started]);
      }
      return told;
    });
    const told = (await Promise.all(lanes)).flat();
    for (const { id, told: expected } of hostilePartners) {
      const [, message, milliseconds] = told.find(([name]) => name === id)!;
      expect([id, message]).toEqual([id, expect.stringMatching(expected)]);
      expect(milliseconds).toBeLessThan(2_000 + 1_500); // the budget, and what a busy machine takes
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(known);
    expect(existsSync(join(root, 'writes-a-file/loot'))).toBe(false);
  });

  it('is started again for the next call, which it answers', async () => {
    const [detector] = await load(
      writePartner(root, 'hangs-on-five', `if (input.columns.dayBytes[2] === 5 && input.columns.dayBytes[0] === 50) process.exit(1)`),
    );
    expect(await verdict(detector!)).toMatch(/exited with code 1/);
    const other = inputOf(detector!.meta, [{ ...quietSimDay, dayBytes: 200 }]);
    expect((await detector!.detect(other, context)).scores).toEqual(Float64Array.of(2));
  });

  it('rests after it died three times in a row, so that a night of pages does not wait for it', async () => {
    const [detector] = await load(writePartner(root, 'always-exits', 'process.exit(1)'));
    const told = [];
    for (let call = 0; call < 4; call++) told.push(await verdict(detector!));
    expect(told).toEqual([
      ...Array<unknown>(3).fill(expect.stringMatching(/exited with code 1$/)),
      'Error: not asked: its process exited with code 1, 3 times in a row; it rests for 30 s',
    ]);
  });

  it('is told to the operator by name after three failures, while the other detectors say what they say without it', async () => {
    const bad = hostilePartners.filter(({ id }) => ['edits-prototypes', 'exits', 'nan', 'throws'].includes(id));
    const good = tinyDetector('over-100', ['dayBytes'], {}, (at) => ({ fires: at('dayBytes') > 100 ? 1 : 0, score: at('dayBytes') }));
    const alone = await DetectionWorld.open([good]);
    const beside = DetectionWorld.beside(alone, [...(await load(...bad.map(({ id, body }) => writePartner(root, id, body)))), good]);
    try {
      const [withoutThem, withThem] = [await fourHours(alone, 'Alone'), await fourHours(beside, 'Beside')];
      expect(withoutThem).toHaveLength(1);
      expect(withThem.filter(({ kind }) => kind !== 'DETECTOR_FAILED')).toEqual(withoutThem);
      const named = withThem.filter(({ kind }) => kind === 'DETECTOR_FAILED').map(({ detectorId }) => detectorId);
      expect(named.sort()).toEqual(['edits-prototypes', 'exits', 'nan', 'throws']);
    } finally {
      await alone.close();
    }
  });
});

/** What stands, but for ids, after a SIM went over its 100 bytes in four batches. */
async function fourHours(world: DetectionWorld, name: string): Promise<Partial<Finding>[]> {
  world.clock.set(new Date('2026-11-01T00:00:00Z'));
  const client = await world.client(name);
  const [sim] = await world.sims(client, 1);
  for (const hour of ['08', '09', '10', '11']) {
    await world.usage(client, [{ sim: sim!, at: `2026-11-01T${hour}:00`, bytes: 60 }]);
    await world.worker().drain();
    world.clock.advance(60_000);
  }
  const own = [...world.ledger.occurrences.values()].filter(
    ({ clientId, subjectId }) => clientId === client || subjectId === String(client),
  );
  return own.map(({ clientId: _, subjectId: __, simId: ___, ...rest }) => rest);
}

describe('a partner that behaves', () => {
  it('judges as it would without a fence, numbers unchanged, and explains itself', async () => {
    const [detector] = await load(writePartner(root, 'well', ''));
    const given = input(detector!);
    expect(await detector!.detect(given, context)).toEqual({
      scores: Float64Array.of(0.5, 1.5, 0.05),
      fires: Uint8Array.of(0, 1, 0),
      abstained: [],
    });
    expect(await detector!.explain!(given, [{ row: 1, kind: 'HIGH' }], context)).toEqual([
      [{ column: 'dayBytes', observed: 150, expected: 100, unit: 'bytes', weight: 1, text: 'too much' }],
    ]);
  });

  it('gets categories, options, its model and a seeded random, and may answer later, abstain and learn', async () => {
    const source = `
      const { defineDetector } = require('simwarden/detector');
      const { seededRandom } = require('simwarden/detector/numeric');
      module.exports = defineDetector({
        meta: {
          id: 'learns', version: '1.0.0', contract: 1, title: 'T', summary: 'S.', limits: 'L.', input: 'events', needs: ['network', 'eventCount'],
          kinds: [{ id: 'ODD', title: 'Odd', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' }],
          options: { type: 'object', additionalProperties: false, properties: { words: { type: 'array', items: { type: 'string' }, default: ['a'], description: 'Words.' } } },
          decides: 'itself', scope: 'client', stateWidth: 0,
        },
        fit: (input) => Uint8Array.of(input.rows, 7),
        async detect({ rows, columns: { network, eventCount } }, { options, model, random, now }) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (typeof seededRandom(1)() !== 'number' || !Object.isFrozen(options.words)) throw new Error('not as promised');
          return {
            scores: Float64Array.of(eventCount[0], network.codes[1], NaN), fires: Uint8Array.of(model[1], options.words.length, 0).map((n) => n % 3),
            abstained: [{ row: 2, kind: 'ODD', reason: network.names.join() + ' ' + now + ' ' + random().toFixed(3) }],
          };
        },
      });`;
    const [detector] = await load(writePartner(root, 'learns', '', { 'index.js': source }));
    const rows = ['214-07', '310-410', '214-07'].map((network) => ({ ...quietEvent, network, eventCount: 3.5 }));
    const given = inputOf(detector!.meta, rows);
    const model = await detector!.fit!(given, context);
    expect(model).toEqual(Uint8Array.of(3, 7));
    const ask = () => detector!.detect(given, { ...context, options: { words: ['x', 'y'] }, model, now: 12 });
    const first = await ask();
    expect(first).toEqual({
      scores: Float64Array.of(3.5, 1, NaN),
      fires: Uint8Array.of(1, 2, 0),
      abstained: [{ row: 2, kind: 'ODD', reason: expect.stringMatching(/^214-07,310-410 12 0\.\d{3}$/) }],
    });
    expect(await ask()).toEqual(first);
  });

  it('may be an ES module, and may use the packages that it declares, no others', async () => {
    const folder = writePartner(root, 'modern', '', {
      'package.json': JSON.stringify({
        name: 'modern',
        type: 'module',
        exports: { '.': { import: './index.js' } },
        dependencies: { border: '*' },
      }),
      'index.js': `import { border } from 'border'; const meta = ${declaration('modern')};
        export default { meta, detect: ({ rows }) => ({ scores: new Float64Array(rows).fill(border), fires: new Uint8Array(rows) }) };`,
    });
    const declared = join(root, 'node_modules/border');
    mkdirSync(declared, { recursive: true });
    writeFileSync(join(declared, 'package.json'), '{"name":"border","type":"module","exports":"./index.js"}');
    writeFileSync(join(declared, 'index.js'), 'export const border = 9;');
    const [detector] = await load(folder);
    expect(await verdict(detector!)).toBe('scores 9 9 9');
    writeFileSync(join(folder, 'package.json'), '{"name":"modern","type":"module","exports":"./index.js"}');
    await expect(load(folder)).rejects.toThrow(/can't be run: .*(border|restricted)/s);
  });
});

it('may use a dependency that is installed as a link, as pnpm and workspaces do', async () => {
  const folder = writePartner(root, 'linked', `if (require('far') !== 7) throw new Error('another one')`);
  writeFileSync(join(folder, 'package.json'), '{"main":"index.js","dependencies":{"far":"*"}}');
  const store = writePartner(root, 'store/far', '', {
    'package.json': '{"main":"index.js"}',
    'index.js': `module.exports = require('./seven')`,
    'seven.js': 'module.exports = 7',
  });
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  symlinkSync(store, join(root, 'node_modules/far'));
  const [detector] = await load(folder);
  expect(await verdict(detector!)).toBe('scores 0.5 1.5 0.05');
});

describe('loading fails closed and says what to do', () => {
  it.each([
    ['an unknown package', () => 'acme-unknown', /no package "acme-unknown" is installed: npm install it/],
    ['a path to nothing', () => './nowhere', /there is no \/.*nowhere: correct the path/],
    [
      'a package that was not built',
      () => writePartner(root, 'unbuilt', '', { 'package.json': '{"main":"dist/index.js"}' }),
      /dist\/index.js does not exist: build the package \(npm run build\)/,
    ],
    ['a package.json that is none', () => writePartner(root, 'torn', '', { 'package.json': '{' }), /package.json is no JSON .*mend it/],
    ['no detector', () => writePartner(root, 'empty', '', { 'index.js': 'exports.x = 1' }), /expected `export default defineDetector/],
    ['a syntax error', () => writePartner(root, 'torn-code', '', { 'index.js': 'exports.x = ' }), /SyntaxError: Unexpected/],
    [
      'reading a file at load',
      () => writePartner(root, 'peeks', '', { 'index.js': `require('fs').readFileSync('/etc/hostname')` }),
      /restricted/,
    ],
    ['a contract of the future', () => changed('future', 'contract: 1', 'contract: 2'), /this host speaks contract 1, got 2/],
    ['an unknown column', () => changed('columns', `needs: ['dayBytes']`, `needs: ['moonPhase']`), /there is no column moonPhase/],
    ['the whole population', () => changed('all', `scope: 'client'`, `scope: 'population'`), /declare scope: 'client'/],
    ['a title that no database takes', () => changed('title', `title: 'High'`, `title: 'H\\0'`), /expected a title of one line/],
    [
      'a declaration without end',
      () => changed('long', `summary: 'S.'`, `summary: 'S'.repeat(1e6)`),
      /more than the 262144 that it may have/,
    ],
  ])('%s', async (_, folder, told) => {
    await expect(load(folder())).rejects.toThrow(told);
  });

  it('refuses all of it until the operator says that it was reviewed', async () => {
    const settings = { detectors: ['acme'], allowPartnerCode: '0', partnerMemoryMegabytes: 128 } as const;
    await expect(loadPartners(settings)).rejects.toThrow(/Review it and set SIMWARDEN_ALLOW_PARTNER_CODE=1, or empty SIMWARDEN_DETECTORS/);
  });
});

function changed(id: string, from: string, to: string): string {
  return writePartner(root, id, '', { 'index.js': partnerSource(id).replace(from, to) });
}

function declaration(id: string): string {
  return /meta: (\{[\s\S]*?\n {2}\}),/.exec(partnerSource(id))![1]!;
}
