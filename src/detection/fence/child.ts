/** Runs inside the fence: loads one detector and answers one question at a time. What goes wrong in here goes wrong in this process alone. */
import Module, { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ColumnName, Detector, DetectorContext } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { readCall, shapeOf, writeDetection, type LoadWords, type Loaded } from './call';
import { encodeFrame, FrameReader, type Frame } from './frame';

const MOST_QUESTION_BYTES = 2 ** 32 - 1;

let detector: Detector;
const answers = new Socket({ fd: 3 });
let reader = new FrameReader(MOST_QUESTION_BYTES);

resolveContract();
process.stdin.on('data', (chunk: Buffer) => {
  const question = reader.push(chunk);
  if (question === null) return;
  reader = new FrameReader(MOST_QUESTION_BYTES);
  answerTo(question).then(write, (error: unknown) => write({ words: { error: inWords(error) }, numbers: [] }));
});
// Nobody is left to answer to.
process.stdin.on('end', () => process.exit());

async function answerTo(question: Frame): Promise<Frame> {
  if ((question.words as LoadWords).call === 'load') return load((question.words as LoadWords).entry);
  const { words, input, model } = readCall(question);
  const context: DetectorContext<Readonly<Record<string, unknown>>> = {
    options: frozen(words.options as Record<string, unknown>),
    random: seededRandom(words.seed),
    now: words.now,
    // The host ends the process instead.
    signal: new AbortController().signal,
    ...(model ? { model } : {}),
  };
  switch (words.call) {
    case 'detect': {
      const detection = await detector.detect(input, context);
      if (typeof detection !== 'object' || detection === null) throw new TypeError(`expected a detection, got ${shapeOf(detection)}`);
      return writeDetection(detection);
    }
    case 'explain':
      return { words: { evidence: await detector.explain!(input, words.asked ?? [], context) }, numbers: [] };
    case 'fit': {
      const fitted = await detector.fit!(input, context);
      if (!(fitted instanceof Uint8Array)) throw new TypeError(`expected a model as a Uint8Array, got ${shapeOf(fitted)}`);
      return { words: {}, numbers: [fitted] };
    }
  }
}

async function load(entry: string): Promise<Frame> {
  const found = detectorIn(await modules(entry));
  if (found === undefined)
    throw new TypeError('it exports no detector: expected `export default defineDetector({ … })`, or module.exports of one');
  detector = found;
  const can = (['fit', 'explain'] as const).filter((name) => typeof found[name] === 'function');
  return { words: { meta: found.meta, can } satisfies Loaded, numbers: [] };
}

/** CommonJS as it is; an ES module by import, as Node says. */
async function modules(entry: string): Promise<unknown> {
  try {
    return createRequire(entry)(entry) as unknown;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_REQUIRE_ESM') throw error;
    return import(pathToFileURL(entry).href);
  }
}

/** The default export, also where a compiler or an import wrapped it once or twice. */
function detectorIn(exported: unknown): Detector | undefined {
  for (let depth = 0, candidate = exported as Record<string, unknown> | undefined; depth < 3; depth++) {
    if (candidate === null || typeof candidate !== 'object') return undefined;
    if ('meta' in candidate && typeof candidate['detect'] === 'function') return candidate as unknown as Detector<ColumnName>;
    candidate = candidate['default'] as Record<string, unknown> | undefined;
  }
  return undefined;
}

/** `simwarden/detector…` is the host's own, whichever version the package was installed beside. */
function resolveContract(): void {
  const loader = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request, ...rest) => {
    const part = /^simwarden\/detector(\/numeric|\/testing)?$/.exec(request);
    return part ? join(__dirname, '../../detector', part[1] ?? '', 'index.js') : resolve.call(Module, request, ...rest);
  };
}

function frozen(options: Record<string, unknown>): Readonly<Record<string, unknown>> {
  for (const value of Object.values(options)) Object.freeze(value);
  return Object.freeze(options);
}

function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function write(frame: Frame): void {
  for (const part of encodeFrame(frame)) answers.write(part);
}
