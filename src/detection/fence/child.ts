/** Runs inside the fence: loads one detector and answers one question at a time. What goes wrong in here goes wrong in this process alone. */
import { Socket } from 'node:net';
import type { Detector, DetectorContext } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { readCall, shapeOf, writeDetection, type ErrorWords, type Loaded, type LoadWords } from './call';
import { encodeFrame, FrameReader, type Frame } from './frame';
import { followLinks, importDetector, resolveContract } from './partner-module';

const MOST_QUESTION_BYTES = 2 ** 32 - 1;

let detector: Detector;
const answers = new Socket({ fd: 3 });
let reader = new FrameReader(MOST_QUESTION_BYTES);

resolveContract();
process.stdin.on('data', (chunk: Buffer) => {
  const question = reader.push(chunk);
  if (question === null) return;
  reader = new FrameReader(MOST_QUESTION_BYTES);
  answerTo(question).then(write, (error: unknown) => write({ words: { error: toldOf(error) }, numbers: [] }));
});
// Nobody is left to answer to.
process.stdin.on('end', () => process.exit());

async function answerTo(question: Frame): Promise<Frame> {
  if ((question.words as LoadWords).call === 'load') return load(question.words as LoadWords);
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

async function load({ entry, links }: LoadWords): Promise<Frame> {
  followLinks(links);
  detector = await importDetector(entry);
  const can = (['fit', 'explain'] as const).filter((name) => typeof detector[name] === 'function');
  return { words: { meta: detector.meta, can } satisfies Loaded, numbers: [] };
}

function frozen(options: Record<string, unknown>): Readonly<Record<string, unknown>> {
  for (const value of Object.values(options)) Object.freeze(value);
  return Object.freeze(options);
}

function toldOf(error: unknown): ErrorWords {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, code, permission, resource } = error as Error & Partial<Record<'code' | 'permission' | 'resource', string>>;
  if (code !== 'ERR_ACCESS_DENIED') return { name, message };
  const what = `${permission ?? 'that'}${resource ? ` of ${resource}` : ''}`;
  return { name, message: `${message} (${what}): behind the fence it may read its own package and the packages that it declares, no more` };
}

function write(frame: Frame): void {
  for (const part of encodeFrame(frame)) answers.write(part);
}
