/**
 * A population model as bytes: a header that says what it was fitted by and on, then the detector's own payloads, one for each half of the clients.
 * Layout: "SWPM", layout version and length of the header (uint32, little-endian), the header as JSON, the payloads one after another.
 */
import { CONTRACT_VERSION, featureNames, type Detector } from '../../detector';
import { SimwardenError } from '../../errors';
import type { Calibration } from './calibration';
import { sha256 } from './hash';

const MAGIC = 'SWPM';
const LAYOUT = 2;
const PREFIX = 12;

export type ModelScope = 'GLOBAL' | 'PER_CLUSTER';

/** What was fitted to judge one half of the clients. */
export interface ModelSide extends Calibration {
  /** Length of its payload. */
  readonly bytes: number;
}

export interface ModelHeader {
  readonly detector: string;
  readonly version: string;
  readonly contract: number;
  readonly columns: readonly string[];
  /** Of the names in the feature catalogue, in their order. */
  readonly catalogueHash: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly fromDay: string;
  readonly toDay: string;
  readonly scope: ModelScope;
  /** −1 where the scope is GLOBAL. */
  readonly cluster: number;
  /** One, or one for each half of the clients. */
  readonly sides: readonly ModelSide[];
  /** Of all payloads as they lie. */
  readonly payloadHash: string;
}

export const CATALOGUE_HASH = sha256(featureNames.join('\n')).slice(0, 16);

export function writeModel(
  header: Omit<ModelHeader, 'sides' | 'payloadHash' | 'catalogueHash' | 'contract'>,
  fitted: readonly (Calibration & { readonly payload: Uint8Array })[],
): Uint8Array {
  const payload = Buffer.concat(fitted.map((side) => side.payload));
  const sides = fitted.map(({ payload: own, ...calibration }) => ({ ...calibration, bytes: own.length }));
  const whole: ModelHeader = { ...header, sides, contract: CONTRACT_VERSION, catalogueHash: CATALOGUE_HASH, payloadHash: sha256(payload) };
  const json = Buffer.from(JSON.stringify(whole), 'utf8');
  const prefix = Buffer.alloc(PREFIX);
  prefix.write(MAGIC, 0, 'latin1');
  prefix.writeUInt32LE(LAYOUT, 4);
  prefix.writeUInt32LE(json.length, 8);
  return Buffer.concat([prefix, json, payload]);
}

/** Throws MODEL_REFUSED where these bytes are not a whole model of this layout and catalogue. */
export function readModel(bytes: Uint8Array, name: string): { header: ModelHeader; payloads: readonly Uint8Array[] } {
  const refuse = (what: string) => new SimwardenError('MODEL_REFUSED', { model: name, what });
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PREFIX || buffer.toString('latin1', 0, 4) !== MAGIC) throw refuse('it is not a population model');
  const layout = buffer.readUInt32LE(4);
  if (layout !== LAYOUT) throw refuse(`its layout is ${layout}; this version reads ${LAYOUT}`);
  const end = PREFIX + buffer.readUInt32LE(8);
  if (end > buffer.length) throw refuse('it ends early');
  const header = headerOf(buffer.toString('utf8', PREFIX, end));
  if (header === null) throw refuse('its header is damaged');
  if (sha256(bytes.subarray(end)) !== header.payloadHash) throw refuse('its bytes are damaged');
  if (header.catalogueHash !== CATALOGUE_HASH) throw refuse('it was fitted on other features');
  let from = end;
  // copies that begin at their buffer's start: detectors lay typed arrays over them
  const payloads = header.sides.map((side) => Uint8Array.from(bytes.subarray(from, (from += side.bytes))));
  return { header, payloads };
}

function headerOf(json: string): ModelHeader | null {
  try {
    const header = JSON.parse(json) as ModelHeader | null;
    return header !== null && typeof header === 'object' && Array.isArray(header.sides) && header.sides.length > 0 ? header : null;
  } catch {
    return null;
  }
}

/** Why the detector, configured like this, must not be given this model; undefined where it may. */
export function whyUnfit(header: ModelHeader, { meta }: Detector, options: Readonly<Record<string, unknown>>): string | undefined {
  if (header.detector !== meta.id) return `it is a model of ${header.detector}`;
  if (header.version !== meta.version) return `it was fitted by version ${header.version}; this is ${meta.version}`;
  if (header.contract !== meta.contract) return `it was fitted under contract ${header.contract}`;
  if (header.columns.join() !== meta.needs.join()) return 'it was fitted on other columns';
  if (sortedJson(header.options) !== sortedJson(options)) return 'it was fitted with other options';
  return undefined;
}

function sortedJson(options: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
}
