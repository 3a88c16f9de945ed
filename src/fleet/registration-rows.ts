/** Reads an inventory's rows: checks each, and brings together those of one SIM. */
import { SimwardenError } from '../errors';
import { textFault } from '../graphql/safe-text';
import { iccidDigits, normaliseIccid, normaliseImei, normaliseImsi, normaliseMsisdn, type Imei } from './identifiers';
import { Criticality } from './states';

/** One row of an inventory, as text. null or '' means unknown: what is known already stays. */
export interface SimRow {
  /** Line in the file, or index in the input from 1; comes back with the outcome. */
  readonly line: number;
  readonly iccid: string | null;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  /** Name of the client; made where it is missing. */
  readonly client: string | null;
  /** Name of the fleet; made where it is missing. */
  readonly fleet: string | null;
  /** Device model family. */
  readonly family: string | null;
  /** An IMEI that the SIM may sit in. */
  readonly imei: string | null;
  readonly criticality: string | null;
}

/** What the rows of one SIM say together: later rows win, each IMEI counts. */
export interface WantedSim {
  readonly lines: number[];
  readonly key: string;
  readonly iccid: string;
  readonly client: string;
  imsi: string | null;
  msisdn: string | null;
  fleet: string | null;
  family: string | null;
  criticality: Criticality | null;
  readonly imeis: Map<string, Imei>;
}

/** client 0 is called so; nobody else is, or an inventory would fill the operator's own rows. */
const RESERVED_CLIENT_NAME = 'operator';

/** A name of a client, fleet, family or device: trimmed, 1 to 200 characters on one line. Throws FIELD_INVALID. */
export function requireName(text: string, column: string, path: string[] | null = null): string {
  const name = text.trim();
  if (name === '' || name.length > 200 || textFault(name) !== null || /\p{Cc}/u.test(name)) {
    throw new SimwardenError(
      'FIELD_INVALID',
      { column, given: text.slice(0, 80), expected: 'a name of 1 to 200 characters on one line' },
      path,
    );
  }
  return name;
}

export function requireClientName(text: string, path: string[] | null = null): string {
  const name = requireName(text, 'client', path);
  if (name.toLowerCase() === RESERVED_CLIENT_NAME) {
    throw new SimwardenError('FIELD_INVALID', { column: 'client', given: name, expected: "another name than the operator's own" }, path);
  }
  return name;
}

/** Rows by SIM and client, in the order they first appear; `rejected` is called with what can't be read. */
export function gatherRows(rows: readonly SimRow[], rejected: (line: number, error: SimwardenError) => void): WantedSim[] {
  const wanted = new Map<string, WantedSim>();
  for (const row of rows) {
    let read: WantedSim;
    try {
      read = readRow(row);
    } catch (error) {
      if (!(error instanceof SimwardenError)) throw error;
      rejected(row.line, error);
      continue;
    }
    const same = `${read.key} ${read.client}`;
    const known = wanted.get(same);
    if (known) merge(known, read);
    else wanted.set(same, read);
  }
  return [...wanted.values()];
}

function merge(into: WantedSim, later: WantedSim): void {
  into.lines.push(...later.lines);
  into.imsi = later.imsi ?? into.imsi;
  into.msisdn = later.msisdn ?? into.msisdn;
  into.fleet = later.fleet ?? into.fleet;
  into.family = later.family ?? into.family;
  into.criticality = later.criticality ?? into.criticality;
  for (const [imei14, imei] of later.imeis) into.imeis.set(imei14, into.imeis.get(imei14) ?? imei);
}

function readRow(row: SimRow): WantedSim {
  const iccid = read(
    'iccid',
    row.iccid,
    (text) => (normaliseIccid(text) === null ? null : iccidDigits(text)),
    '19 or 20 digits that start with 89',
  );
  const client = given(row.client);
  if (iccid === null) throw new SimwardenError('FIELD_MISSING', { column: 'iccid' });
  if (client === null) throw new SimwardenError('FIELD_MISSING', { column: 'client' });
  const imei = read('imei', row.imei, normaliseImei, '14 to 16 digits');
  return {
    lines: [row.line],
    key: normaliseIccid(iccid)!,
    iccid,
    client: requireClientName(client),
    imsi: read('imsi', row.imsi, normaliseImsi, '6 to 15 digits'),
    msisdn: read('msisdn', row.msisdn, normaliseMsisdn, 'a number in international form, 3 to 15 digits'),
    fleet: read('fleet', row.fleet, (text) => requireName(text, 'fleet'), ''),
    family: read('family', row.family, (text) => requireName(text, 'family'), ''),
    criticality: read(
      'criticality',
      row.criticality,
      (text) => Object.values(Criticality).find((known) => String(known) === text) ?? null,
      'NORMAL or CRITICAL',
    ),
    imeis: new Map(imei ? [[imei.imei14, imei]] : []),
  };
}

function given(text: string | null | undefined): string | null {
  return text === null || text === undefined || text.trim() === '' ? null : text.trim();
}

function read<Value>(
  column: string,
  text: string | null | undefined,
  parse: (text: string) => Value | null,
  expected: string,
): Value | null {
  const value = given(text);
  if (value === null) return null;
  const parsed = parse(value);
  if (parsed === null) throw new SimwardenError('FIELD_INVALID', { column, given: value.slice(0, 80), expected });
  return parsed;
}
