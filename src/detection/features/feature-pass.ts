/**
 * The 95 features of every SIM of a day in one pass over its sorted dialogues: counters in one small array, distinct counts by stamps, standard
 * deviations by Welford. `detector/features.ts` says what each means; `test/pipeline/features/oracle.ts` says the same in SQL.
 */
import { FEATURE_COUNT } from '../../detector';
import { FeatureRowWriter } from './feature-row';
import { WORDS } from './packed-dialogues';
import type { SortedDialogues } from './sorted-dialogues';
import { Tally } from './tally';

/** A gap above this ends a session. */
const SESSION_GAP_MILLISECONDS = 30_000;
const MINUTE_MILLISECONDS = 60_000;
/** Node ids beyond this would make the stamp arrays large: the ids that occur are numbered instead. */
const LARGEST_STAMPED_NODE = 1 << 21;
const PLMN_CODES = 2_000_002;

export class FeaturePass {
  private readonly tally = new Tally();
  private readonly writer = new FeatureRowWriter();
  private readonly mapNetworkSeen = new Int32Array(PLMN_CODES);
  private readonly diameterNetworkSeen = new Int32Array(PLMN_CODES);
  private vlrSeen = new Int32Array(1024);
  private sgsnSeen = new Int32Array(1024);
  /** Grows with every SIM of every day, so that stamps never need clearing. */
  private stamp = 0;

  /** Writes 95 numbers per SIM, from `output[0]` on; a SIM without dialogues (there is none in a day's rows) gets the values of the empty set. */
  run({ words, offsets }: SortedDialogues, output: Float64Array): void {
    const simCount = offsets.length - 1;
    this.prepareStamps(words, simCount);
    for (let sim = 0; sim < simCount; sim++) {
      this.stamp += 1;
      this.count(words, offsets[sim]! * WORDS, offsets[sim + 1]! * WORDS);
      this.writer.write(this.tally, output, sim * FEATURE_COUNT);
    }
  }

  private prepareStamps(words: Int32Array, simCount: number): void {
    let largest = 0;
    let smallest = 0;
    for (let at = 2; at < words.length; at += WORDS) {
      const node = words[at]!;
      if (node > largest) largest = node;
      else if (node < smallest) smallest = node;
    }
    if (largest > LARGEST_STAMPED_NODE || smallest < 0) largest = numberNodes(words);
    if (largest >= this.vlrSeen.length) {
      this.vlrSeen = new Int32Array(largest + 1);
      this.sgsnSeen = new Int32Array(largest + 1);
    }
    if (this.stamp + simCount < 2 ** 31) return;
    this.stamp = 0;
    for (const seen of [this.mapNetworkSeen, this.diameterNetworkSeen, this.vlrSeen, this.sgsnSeen]) seen.fill(0);
  }

  private count(words: Int32Array, from: number, to: number): void {
    const { tally, stamp, mapNetworkSeen, diameterNetworkSeen, vlrSeen, sgsnSeen } = this;
    const { kinds, used } = tally;
    let usedCount = tally.usedCount;
    for (let index = 0; index < usedCount; index++) kinds[used[index]!] = 0;
    usedCount = 0;

    let n = 0;
    let mapNetworks = 0;
    let diameterNetworks = 0;
    let vlrs = 0;
    let sgsns = 0;
    let operatorChanges = 0;
    let vlrChanges = 0;
    let sgsnChanges = 0;
    let lastOperator = 0;
    let lastVlr = 0;
    let lastSgsn = 0;
    let gaps = 0;
    let gapMean = 0;
    let gapSquares = 0;
    let breaks = 0;
    let breakMean = 0;
    let breakSquares = 0;
    let signalingSessions = 0;
    let signalingMean = 0;
    let signalingSquares = 0;
    let sessionFirst = -1;
    let sessionLast = -1;
    let sessionGaps = 0;
    let lastMillisecond = -1;
    let lastMinute = -1;
    let activeMinutes = 0;
    let lastDiameterMinute = -1;
    let diameterMinutes = 0;

    for (let at = from; at < to; at += WORDS) {
      const first = words[at]!;
      const second = words[at + 1]!;
      const node = words[at + 2]!;
      const millisecond = first >> 4;
      if (millisecond === lastMillisecond) {
        // An exact repeat stands right behind the dialogue it repeats.
        if (first === words[at - 4] && second === words[at - 3] && node === words[at - 2] && words[at + 3] === words[at - 1]) continue;
      }
      n += 1;

      const kind = ((second & 0x78) << 1) | (first & 0xf);
      if (kinds[kind] === 0) used[usedCount++] = kind;
      kinds[kind]! += 1;

      const minute = (millisecond / MINUTE_MILLISECONDS) | 0;
      if (minute !== lastMinute) {
        activeMinutes += 1;
        lastMinute = minute;
      }

      const network = second >> 7;
      if ((second & 0x40) === 0) {
        if (network !== 0 && mapNetworkSeen[network] !== stamp) {
          mapNetworkSeen[network] = stamp;
          mapNetworks += 1;
        }
        const origin = first & 0xc;
        if (node !== 0 && origin <= 4) {
          if (origin === 0) {
            if (vlrSeen[node] !== stamp) {
              vlrSeen[node] = stamp;
              vlrs += 1;
            }
            if (node !== lastVlr) {
              if (lastVlr !== 0) vlrChanges += 1;
              lastVlr = node;
            }
          } else {
            if (sgsnSeen[node] !== stamp) {
              sgsnSeen[node] = stamp;
              sgsns += 1;
            }
            if (node !== lastSgsn) {
              if (lastSgsn !== 0) sgsnChanges += 1;
              lastSgsn = node;
            }
          }
        }
      } else {
        if (minute !== lastDiameterMinute) {
          diameterMinutes += 1;
          lastDiameterMinute = minute;
        }
        if (network !== 0) {
          if (diameterNetworkSeen[network] !== stamp) {
            diameterNetworkSeen[network] = stamp;
            diameterNetworks += 1;
          }
          if (network !== lastOperator) {
            if (lastOperator !== 0) operatorChanges += 1;
            lastOperator = network;
          }
        }
      }

      if (lastMillisecond >= 0) {
        const gap = millisecond - lastMillisecond;
        if (gap <= SESSION_GAP_MILLISECONDS) {
          gaps += 1;
          const delta = gap - gapMean;
          gapMean += delta / gaps;
          gapSquares += delta * (gap - gapMean);
        } else {
          breaks += 1;
          const delta = gap - breakMean;
          breakMean += delta / breaks;
          breakSquares += delta * (gap - breakMean);
        }
      }
      lastMillisecond = millisecond;

      // PURGE and NOTIFY (procedures 5 and 6) are not part of signaling-only sessions.
      if ((second & 0x38) < 0x20) {
        if (sessionLast >= 0 && millisecond - sessionLast > SESSION_GAP_MILLISECONDS) {
          if (sessionGaps > 0) {
            signalingSessions += 1;
            const mean = (sessionLast - sessionFirst) / sessionGaps;
            const delta = mean - signalingMean;
            signalingMean += delta / signalingSessions;
            signalingSquares += delta * (mean - signalingMean);
            sessionGaps = 0;
          }
          sessionFirst = millisecond;
        } else if (sessionLast >= 0) sessionGaps += 1;
        else sessionFirst = millisecond;
        sessionLast = millisecond;
      }
    }
    if (sessionGaps > 0) {
      signalingSessions += 1;
      const mean = (sessionLast - sessionFirst) / sessionGaps;
      const delta = mean - signalingMean;
      signalingMean += delta / signalingSessions;
      signalingSquares += delta * (mean - signalingMean);
    }

    tally.usedCount = usedCount;
    tally.n = n;
    tally.mapNetworks = mapNetworks;
    tally.diameterNetworks = diameterNetworks;
    tally.vlrs = vlrs;
    tally.sgsns = sgsns;
    tally.operatorChanges = operatorChanges;
    tally.vlrChanges = vlrChanges;
    tally.sgsnChanges = sgsnChanges;
    tally.gaps = gaps;
    tally.gapMean = gapMean;
    tally.gapSquares = gapSquares;
    tally.breaks = breaks;
    tally.breakMean = breakMean;
    tally.breakSquares = breakSquares;
    tally.signalingSessions = signalingSessions;
    tally.signalingMean = signalingMean;
    tally.signalingSquares = signalingSquares;
    tally.totalMinutes = n === 0 ? 0 : lastMinute - (((words[from]! >> 4) / MINUTE_MILLISECONDS) | 0) + 1;
    tally.activeMinutes = activeMinutes;
    tally.diameterMinutes = diameterMinutes;
  }
}

/** Replaces node ids by numbers from 1 in the order of the ids; answers the largest number. */
function numberNodes(words: Int32Array): number {
  const ids = new Set<number>();
  for (let at = 2; at < words.length; at += WORDS) if (words[at] !== 0) ids.add(words[at]!);
  const numbers = new Map([...ids].sort((a, b) => a - b).map((id, index) => [id, index + 1]));
  for (let at = 2; at < words.length; at += WORDS) if (words[at] !== 0) words[at] = numbers.get(words[at]!)!;
  return ids.size;
}
