/** The check that the kit can't make, since it needs a process: whether a package answers behind the fence as it answers in its author's hands. */
import { validateOptions, type Detection, type Detector } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { inputOf, type CheckOptions, type CheckResult, type QuietCase } from '../../detector/testing';
import { seedFrom } from './fenced-detector';
import { loadPartners } from './load-partners';

const SEED = 1;
const title = 'behind the fence it answers the same: from its own files alone, in its time and memory';

/** `given`: package name or path, as the configuration would name it. */
export async function fenceCheck(given: string, detector: Detector, fleets: CheckOptions, memoryMegabytes: number): Promise<CheckResult> {
  const messages = await mistakes(given, detector, fleets, memoryMegabytes);
  const expected = fleets.expectedFailures?.['fenced'];
  const failed = messages.length > 0;
  if (expected === undefined) return { id: 'fenced', title, outcome: failed ? 'failed' : 'passed', messages };
  return failed
    ? { id: 'fenced', title, outcome: 'failed as expected', messages: [expected, ...messages] }
    : { id: 'fenced', title, outcome: 'failed', messages: [`was expected to fail (${expected}) and passes: take it off expectedFailures`] };
}

async function mistakes(given: string, detector: Detector, fleets: CheckOptions, memoryMegabytes: number): Promise<string[]> {
  try {
    const partners = await loadPartners({ detectors: [given], allowPartnerCode: '1', partnerMemoryMegabytes: memoryMegabytes });
    try {
      return await differences(detector, partners.detectors[0]!, fleets);
    } finally {
      await partners.close();
    }
  } catch (error) {
    return [(error as Error).message];
  }
}

async function differences(detector: Detector, fenced: Detector, fleets: CheckOptions): Promise<string[]> {
  const context = (of: QuietCase, random: () => number, model?: Uint8Array) => {
    const { options = {} } = validateOptions(detector.meta.options, { ...fleets.options, ...of.options });
    return { options, random, now: 0, signal: new AbortController().signal, ...(model ? { model } : {}) };
  };
  const learnedFrom = fleets.quiet[0]!;
  const model = await detector.fit?.(inputOf(detector.meta, learnedFrom.rows), context(learnedFrom, seededRandom(SEED)));
  for (const each of [...fleets.quiet, ...fleets.anomalous]) {
    const input = () => inputOf(detector.meta, each.rows, each);
    const here = await detector.detect(input(), context(each, seededRandom(seedFrom(seededRandom(SEED))), model));
    const there = await fenced.detect(input(), context(each, seededRandom(SEED), model));
    const found = difference(detector.meta.kinds.length, here, there);
    if (found !== undefined) return [`${each.name}: ${found}`];
  }
  return [];
}

function difference(kinds: number, here: Detection, there: Detection): string | undefined {
  const cell = here.scores.findIndex((score, at) => !Object.is(score, there.scores[at]) || here.fires?.[at] !== there.fires?.[at]);
  if (cell >= 0) return `row ${Math.floor(cell / kinds)} scores ${here.scores[cell]} here, ${there.scores[cell]} behind the fence`;
  const [some, others] = [here.abstained?.length ?? 0, there.abstained?.length ?? 0];
  return some === others ? undefined : `${some} abstentions here, ${others} behind the fence`;
}
