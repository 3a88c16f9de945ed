/**
 * What a dialogue says beside its SIM, its time and its duration: a pattern. A network's nodes answer in few ways, so a chunk has far fewer patterns than
 * rows, and what is read, encoded or counted once per pattern isn't done again for each row.
 */

/** Stands for "unknown" where 0 means something. */
export const UNKNOWN = -1;
const LEAST_PATTERNS = 256;

export class DialoguePatterns {
  /** Patterns that are taken; the one at `count` may be written to, and is taken with `add`. */
  count = 0;
  protocol = new Uint8Array(LEAST_PATTERNS);
  procedure = new Uint8Array(LEAST_PATTERNS);
  origin = new Uint8Array(LEAST_PATTERNS);
  outcome = new Uint8Array(LEAST_PATTERNS);
  resultCode = new Int32Array(LEAST_PATTERNS);
  plmn = new Int32Array(LEAST_PATTERNS);
  /** Ordinal of the node's name, from 1; 0: unknown. */
  node = new Uint32Array(LEAST_PATTERNS);
  /** 0: none. */
  cancellationType = new Uint8Array(LEAST_PATTERNS);
  formatViolation = new Uint8Array(LEAST_PATTERNS);

  clear(): void {
    this.count = 0;
  }

  /** The place of the next pattern, with nothing known of it. */
  begin(): number {
    const next = this.count;
    if (next === this.protocol.length) this.widen();
    this.resultCode[next] = UNKNOWN;
    this.plmn[next] = UNKNOWN;
    this.node[next] = 0;
    this.cancellationType[next] = 0;
    this.formatViolation[next] = 0;
    return next;
  }

  /** Takes the pattern that was begun. */
  add(): number {
    return this.count++;
  }

  private widen(): void {
    const most = this.protocol.length * 2;
    this.protocol = widened(this.protocol, new Uint8Array(most));
    this.procedure = widened(this.procedure, new Uint8Array(most));
    this.origin = widened(this.origin, new Uint8Array(most));
    this.outcome = widened(this.outcome, new Uint8Array(most));
    this.resultCode = widened(this.resultCode, new Int32Array(most));
    this.plmn = widened(this.plmn, new Int32Array(most));
    this.node = widened(this.node, new Uint32Array(most));
    this.cancellationType = widened(this.cancellationType, new Uint8Array(most));
    this.formatViolation = widened(this.formatViolation, new Uint8Array(most));
  }
}

interface Settable<Values> {
  set(values: Values): void;
}
export function widened<Values extends Settable<Values>>(from: Values, to: Values): Values {
  to.set(from);
  return to;
}
