/** From what was counted of one SIM to its 95 numbers, in the order of the catalogue. */
import type { Tally } from './tally';

const [SUCCESS, REJECT, ERROR, TIMEOUT] = [0, 1, 2, 3] as const;
const [VLR, SGSN, HOME] = [0, 1, 3] as const;
const [MAP, DIAMETER] = [0, 1] as const;
const [SAI, UL, UL_GPRS, CL, NOTIFY] = [0, 1, 2, 3, 5] as const;
const MILLISECONDS = 1000;

/** Dialogues of one sort: all, successful, failed (timeouts among them), rejected. */
class Outcomes {
  all = 0;
  success = 0;
  error = 0;
  reject = 0;

  take(kinds: Int32Array, protocol: number, procedure: number, firstOrigin: number, lastOrigin: number): void {
    this.all = this.success = this.error = this.reject = 0;
    this.add(kinds, protocol, procedure, firstOrigin, lastOrigin);
  }

  add(kinds: Int32Array, protocol: number, procedure: number, firstOrigin: number, lastOrigin: number): void {
    const base = (protocol << 7) | (procedure << 4);
    for (let at = base + firstOrigin * 4; at <= base + lastOrigin * 4; at += 4) {
      const success = kinds[at + SUCCESS]!;
      const reject = kinds[at + REJECT]!;
      const error = kinds[at + ERROR]! + kinds[at + TIMEOUT]!;
      this.success += success;
      this.reject += reject;
      this.error += error;
      this.all += success + reject + error;
    }
  }
}

export class FeatureRowWriter {
  private readonly map = new Outcomes();
  private readonly diameter = new Outcomes();
  private readonly sai = new Outcomes();
  private readonly saiVlr = new Outcomes();
  private readonly saiSgsn = new Outcomes();
  private readonly diameterSai = new Outcomes();
  private readonly ul = new Outcomes();
  private readonly ulGprs = new Outcomes();
  private readonly diameterUl = new Outcomes();
  private readonly cl = new Outcomes();
  private readonly clVlr = new Outcomes();
  private readonly clSgsn = new Outcomes();
  private readonly diameterCl = new Outcomes();

  /** Writes the row that begins at `output[start]`; `kinds` counts dialogues by protocol, procedure, origin and outcome. */
  write(tally: Tally, output: Float64Array, start: number): void {
    this.sum(tally.kinds);
    const { n } = tally;
    const { map, diameter, sai, saiVlr, saiSgsn, diameterSai, ul, ulGprs, diameterUl, cl, clVlr, clSgsn, diameterCl } = this;
    let at = start;

    output[at++] = tally.diameterNetworks;
    output[at++] = tally.mapNetworks;
    output[at++] = tally.vlrs;
    output[at++] = tally.sgsns;
    output[at++] = tally.operatorChanges;
    output[at++] = tally.vlrChanges;
    output[at++] = tally.sgsnChanges;

    output[at++] = meanSeconds(tally.gaps, tally.gapMean);
    output[at++] = deviationSeconds(tally.gaps, tally.gapSquares);
    output[at++] = meanSeconds(tally.breaks, tally.breakMean);
    output[at++] = deviationSeconds(tally.breaks, tally.breakSquares);
    output[at++] = meanSeconds(tally.signalingSessions, tally.signalingMean);
    output[at++] = deviationSeconds(tally.signalingSessions, tally.signalingSquares);

    output[at++] = n;
    output[at++] = map.success;
    output[at++] = diameter.success;
    output[at++] = map.error;
    output[at++] = diameter.error;
    output[at++] = map.reject;
    output[at++] = diameter.reject;
    output[at++] = percent(map.all, n);
    output[at++] = percent(diameter.all, n);
    output[at++] = percent(map.error, map.all);
    output[at++] = percent(diameter.error, diameter.all);
    output[at++] = percent(map.reject, map.all);
    output[at++] = percent(diameter.reject, diameter.all);

    at = fourOf(sai, output, at);
    at = fourOf(saiVlr, output, at);
    at = fourOf(saiSgsn, output, at);
    at = fourOf(diameterSai, output, at);
    at = fourOf(ul, output, at);
    at = fourOf(ulGprs, output, at);
    at = fourOf(diameterUl, output, at);
    at = threeOf(cl, output, at);
    at = threeOf(clVlr, output, at);
    at = threeOf(clSgsn, output, at);
    at = fourOf(diameterCl, output, at);

    output[at++] = percent(sai.all, n);
    output[at++] = percent(ul.all, n);
    output[at++] = percent(ulGprs.all, n);
    output[at++] = percent(cl.all, n);
    output[at++] = percent(diameterSai.all, n);
    output[at++] = percent(diameterUl.all, n);
    output[at++] = percent(diameterCl.all, n);

    const sais = sai.all + diameterSai.all;
    at = sharesOf(sai.success + diameterSai.success, sai.error + diameterSai.error, sai.reject + diameterSai.reject, sais, output, at);
    at = sharesOf(sai.success + diameterSai.success, sai.error + diameterSai.error, sai.reject + diameterSai.reject, n, output, at);
    const ulSuccess = ul.success + ulGprs.success + diameterUl.success;
    const ulError = ul.error + ulGprs.error + diameterUl.error;
    const ulReject = ul.reject + ulGprs.reject + diameterUl.reject;
    at = sharesOf(ulSuccess, ulError, ulReject, ulSuccess + ulError + ulReject, output, at);
    at = sharesOf(ulSuccess, ulError, ulReject, n, output, at);
    const cls = cl.all + diameterCl.all;
    output[at++] = percent(cl.success + diameterCl.success, cls);
    output[at++] = percent(cl.error + diameterCl.error, cls);
    output[at++] = percent(cl.success + diameterCl.success, n);
    output[at++] = percent(cl.error + diameterCl.error, n);

    const { totalMinutes, activeMinutes, diameterMinutes } = tally;
    output[at++] = totalMinutes;
    output[at++] = activeMinutes;
    output[at++] = totalMinutes === 0 ? NaN : activeMinutes / totalMinutes;
    output[at++] = diameterMinutes;
    output[at] = totalMinutes === 0 ? NaN : diameterMinutes / totalMinutes;
  }

  private sum(kinds: Int32Array): void {
    this.sai.take(kinds, MAP, SAI, VLR, HOME);
    this.saiVlr.take(kinds, MAP, SAI, VLR, VLR);
    this.saiSgsn.take(kinds, MAP, SAI, SGSN, SGSN);
    this.diameterSai.take(kinds, DIAMETER, SAI, VLR, HOME);
    this.ul.take(kinds, MAP, UL, VLR, HOME);
    this.ulGprs.take(kinds, MAP, UL_GPRS, VLR, HOME);
    this.diameterUl.take(kinds, DIAMETER, UL, VLR, HOME);
    this.cl.take(kinds, MAP, CL, VLR, HOME);
    this.clVlr.take(kinds, MAP, CL, VLR, VLR);
    this.clSgsn.take(kinds, MAP, CL, SGSN, SGSN);
    this.diameterCl.take(kinds, DIAMETER, CL, VLR, HOME);
    // Slots of neighbouring procedures lie side by side: one sweep over the origins of all of them.
    this.map.take(kinds, MAP, SAI, VLR, (NOTIFY << 2) | HOME);
    this.diameter.take(kinds, DIAMETER, SAI, VLR, (NOTIFY << 2) | HOME);
  }
}

function fourOf({ all, success, error, reject }: Outcomes, output: Float64Array, at: number): number {
  output[at] = all;
  output[at + 1] = success;
  output[at + 2] = error;
  output[at + 3] = reject;
  return at + 4;
}

function threeOf({ all, success, error }: Outcomes, output: Float64Array, at: number): number {
  output[at] = all;
  output[at + 1] = success;
  output[at + 2] = error;
  return at + 3;
}

function sharesOf(success: number, error: number, reject: number, whole: number, output: Float64Array, at: number): number {
  output[at] = percent(success, whole);
  output[at + 1] = percent(error, whole);
  output[at + 2] = percent(reject, whole);
  return at + 3;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? NaN : (100 * part) / whole;
}

function meanSeconds(count: number, milliseconds: number): number {
  return count === 0 ? NaN : milliseconds / MILLISECONDS;
}

/** Sample standard deviation from a sum of squared deviations in ms². */
function deviationSeconds(count: number, squares: number): number {
  return count < 2 ? NaN : Math.sqrt(squares / (count - 1)) / MILLISECONDS;
}
