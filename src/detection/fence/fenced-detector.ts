/** A partner's detector as the host sees it: the same contract, but every call crosses the fence and every answer is taken apart before use. */
import type { ColumnName, Detection, Detector, DetectorContext, DetectorInput, Evidence } from '../../detector';
import { readDetection, writeCall, type Asked, type CallWords, type Loaded } from './call';
import type { Fence } from './fence';
import { callMilliseconds, MOST_MODEL_BYTES, mostDetectionBytes, mostEvidenceBytes } from './limits';
import type { Frame } from './frame';

type Input = DetectorInput<ColumnName>;
type Context = DetectorContext<Readonly<Record<string, unknown>>>;

const fences = new WeakMap<Detector, { readonly fence: Fence; readonly loaded: Loaded }>();

/** A detector for work aside, and the end of what it took. */
interface Aside {
  readonly detector: Detector;
  close(): Promise<void>;
}

/** The same detector in a process of its own, so that a trial which hangs or dies keeps no evaluation waiting; one that isn't fenced is its own. */
export function aside(detector: Detector): Aside {
  const known = fences.get(detector);
  if (!known) return { detector, close: () => Promise.resolve() };
  const fence = known.fence.beside();
  return { detector: fencedDetector(fence, known.loaded), close: () => fence.close() };
}

export function fencedDetector(fence: Fence, loaded: Loaded): Detector {
  const { meta, can } = loaded;
  const ask = (call: CallWords['call'], input: Input, context: Context, answerBytes: number, asked?: readonly Asked[]): Promise<Frame> =>
    fence.ask(
      writeCall({ ...wordsOf(call, context), ...(asked ? { asked } : {}) }, input, context.model),
      { milliseconds: callMilliseconds(input.rows), answerBytes },
      context.signal,
    );
  const detector: Detector = {
    meta,
    async detect(input, context): Promise<Detection> {
      return readDetection(await ask('detect', input, context, mostDetectionBytes(meta, input.rows)));
    },
    ...(can.includes('fit') && {
      async fit(input: Input, context: Context): Promise<Uint8Array> {
        const { numbers } = await ask('fit', input, context, MOST_MODEL_BYTES);
        if (!(numbers[0] instanceof Uint8Array)) throw new Error('expected a model of bytes, got none');
        return numbers[0];
      },
    }),
    ...(can.includes('explain') && {
      async explain(input: Input, rows: readonly Asked[], context: Context): Promise<Evidence[][]> {
        const { words } = await ask('explain', input, context, mostEvidenceBytes(rows.length), rows);
        return (words as { evidence: Evidence[][] }).evidence;
      },
    }),
  };
  fences.set(detector, { fence, loaded });
  return detector;
}

function wordsOf(call: CallWords['call'], { options, random, now }: Context): CallWords {
  return { call, options, seed: seedFrom(random), now };
}

/** What stands for `context.random` on the other side, where no function can go. */
export function seedFrom(random: () => number): number {
  return Math.floor(random() * 2 ** 32);
}
