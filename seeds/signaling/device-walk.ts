/** A device at its networks through one day: each step appends the dialogue that a roaming hub would see, and takes its time. */
import { countries, elementCount, LTE, nodeOrdinal, operatorCount, PACKET, type Domain } from './networks';
import {
  AFTER_UPDATE,
  CL,
  DIAMETER,
  ERROR,
  HOME,
  MAP,
  NOTIFY,
  packKind,
  type PackedRows,
  PURGE,
  REJECT,
  SAI,
  SUCCESS,
  TIMEOUT,
  UL,
  UL_GPRS,
} from './packed-rows';
import { RandomStream } from './random-stream';
import { resultCode } from './result-codes';

const DAY_MS = 86_400_000;
/** Quantiles of a log-normal answer time: median 1, spread 0.55; one in 256 is slow. */
const ANSWER_TIMES = answerTimes();

/** What goes wrong with one device, per dialogue. */
export interface Trouble {
  readonly reject: number;
  readonly error: number;
  readonly timeout: number;
}

export class DeviceWalk {
  sim = 0;
  country = 0;
  /** Milliseconds since midnight. */
  at = 0;
  trouble: Trouble = { reject: 0, error: 0, timeout: 0 };
  /** Where the device is registered, by domain: operator and element, counted from 0. */
  readonly operators = [0, 0, 0];
  readonly elements = [0, 0, 0];
  private site = 0;
  private reach = 1;

  constructor(
    readonly rows: PackedRows,
    readonly random: RandomStream,
  ) {}

  /** Begins the day where this device sleeps. */
  begin(sim: number, country: number, operator: number, site: number, reach: number, trouble: Trouble): void {
    this.sim = sim;
    this.country = country;
    this.site = site;
    this.reach = reach;
    this.trouble = trouble;
    for (let domain = 0; domain < 3; domain++) {
      this.operators[domain] = operator;
      this.elements[domain] = site;
    }
  }

  wait(seconds: number): void {
    this.at += seconds * 1000;
  }

  /** An outcome as this device's trouble has it. */
  outcome(): number {
    const draw = this.random.uniform();
    const { reject, error, timeout } = this.trouble;
    if (draw >= reject + error + timeout) return SUCCESS;
    return draw < reject ? REJECT : draw < reject + error ? ERROR : TIMEOUT;
  }

  authenticate(domain: Domain, outcome = this.outcome()): boolean {
    return this.dialogue(domain, domain, SAI, outcome, this.node(domain), 0);
  }

  updateLocation(domain: Domain, outcome = this.outcome(), result = -1): boolean {
    return this.dialogue(domain, domain, domain === PACKET ? UL_GPRS : UL, outcome, this.node(domain), 0, result);
  }

  /** The home network cancels at the element that the device left. */
  cancelAt(domain: Domain, node: number, outcome = this.outcome()): boolean {
    return this.dialogue(domain, domain, CL, outcome === REJECT ? ERROR : outcome, node, AFTER_UPDATE);
  }

  /** The home network cancels of its own accord, where the device is. */
  cancelFromHome(domain: Domain, cancellation: number, outcome = SUCCESS): boolean {
    return this.dialogue(domain, HOME, CL, outcome, this.node(domain), cancellation);
  }

  purge(domain: Domain, outcome = this.outcome()): boolean {
    return this.dialogue(domain, domain, PURGE, outcome, this.node(domain), 0);
  }

  notify(domain: Domain, outcome = this.outcome()): boolean {
    return this.dialogue(domain, domain, NOTIFY, outcome, this.node(domain), 0);
  }

  /** SAI → UL, and CL at the element it came from where `from` names one; false where the network said no on the way. */
  register(domain: Domain, from: number | null): boolean {
    if (!this.authenticate(domain)) return false;
    this.wait(0.2 + this.random.exponential(0.5));
    if (!this.updateLocation(domain)) return false;
    if (from !== null) {
      this.wait(0.05 + this.random.exponential(0.2));
      this.cancelAt(domain, from);
    }
    return true;
  }

  /** To another element within reach, of another operator if asked; answers the node that it left. */
  move(domain: Domain, toOtherOperator: boolean): number {
    const left = this.node(domain);
    const reach = Math.min(this.reach, elementCount(domain));
    if (toOtherOperator && operatorCount(this.country) > 1) {
      this.operators[domain]! += 1 + this.random.below(operatorCount(this.country) - 1);
    } else if (reach > 1) {
      const place = (this.elements[domain]! - this.site + 1 + this.random.below(reach - 1)) % reach;
      this.elements[domain] = this.site + place;
    }
    return left;
  }

  node(domain: Domain): number {
    return nodeOrdinal(this.country, this.operators[domain]!, domain, this.elements[domain]!);
  }

  private dialogue(
    domain: Domain,
    origin: number,
    procedure: number,
    outcome: number,
    node: number,
    cancellation: number,
    result = -1,
  ): boolean {
    if (this.at >= DAY_MS) return outcome === SUCCESS;
    const bits = this.random.bits();
    const protocol = domain === LTE ? DIAMETER : MAP;
    const usual = protocol === DIAMETER ? 90 : 170;
    const durationMs =
      outcome === TIMEOUT
        ? (protocol === DIAMETER ? 5000 : 10_000) + (bits & 0xfff)
        : usual * countries[this.country]!.distance * ANSWER_TIMES[bits & 0xfff]!;
    const code = result >= 0 ? result : resultCode(protocol, procedure, outcome, bits >>> 12);
    // one answer in 4,096 is malformed, and one in 8 of those that made the exchange unusable
    const formatViolation = bits >>> 20 < (outcome === ERROR ? 512 : 1) ? 1 : 0;
    // the hub can't name every node
    const named = ((bits >>> 12) & 0x1ff) === 0 ? 0 : node;
    const kind = packKind({ protocol, procedure, origin, outcome, cancellation, formatViolation });
    this.rows.push(this.sim, this.at, durationMs, code, named, kind);
    // the next message can't leave before this one was answered
    this.at += durationMs;
    return outcome === SUCCESS;
  }
}

function answerTimes(): Float64Array {
  const random = new RandomStream().begin(0, 0, 0, 99);
  return Float64Array.from({ length: 4096 }, (_, place) => Math.exp(0.55 * random.normal()) * (place % 256 === 0 ? 8 : 1));
}
