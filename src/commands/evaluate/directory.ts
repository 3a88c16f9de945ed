/** A directory of CSV files with a truth.json, from whatever generator and of whatever dates, as feature rows in memory. */
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { dayOf, daysFrom, startOfDay, type Day } from '../../detection/days';
import { computeDayFeatures } from '../../detection/features/day-features';
import { PackedDialogues } from '../../detection/features/packed-dialogues';
import type { FeatureRows } from '../../detection/features/feature-store';
import { SimwardenError } from '../../errors';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, plmnCode, PROCEDURES, PROTOCOLS } from '../../telemetry/dialogue-codes';
import { CsvReader } from '../../telemetry/parsing/csv';
import { LineSplitter } from '../../telemetry/parsing/lines';
import { rowsByClient, type PopulationDays, type TrueIncident } from './population-days';

interface Inventory {
  readonly simByImsi: ReadonlyMap<string, number>;
  readonly simByIccid: ReadonlyMap<string, number>;
  readonly clients: readonly string[];
  /** By SIM number, from 1. */
  readonly clientOfSim: readonly number[];
}

export interface DirectoryDays extends PopulationDays {
  /** Rows that could not be read, or name no SIM of the inventory. */
  readonly passedOver: number;
}

export async function directoryDays(directory: string, onRows: (rows: number) => void): Promise<DirectoryDays> {
  const inventory = await readInventory(join(directory, 'sims.csv'));
  const files = (await listed(directory)).filter((name) => /^dialogues.*\.csv(\.gz)?$/.test(name)).sort();
  if (files.length === 0) throw new SimwardenError('FILE_UNREADABLE', { file: directory, what: 'it has no dialogues-….csv' });
  const packed = new Map<Day, PackedDialogues>();
  const counts = { rows: 0, passedOver: 0 };
  for (const file of files) {
    for await (const rows of csvRows(join(directory, file))) {
      for (const row of rows) if (!addDialogue(packed, inventory, row)) counts.passedOver += 1;
      counts.rows += rows.length;
      onRows(counts.rows);
    }
  }
  const days = [...packed.keys()].sort();
  const rows = new Map<Day, readonly FeatureRows[]>();
  for (const day of days) {
    const own = packed.get(day)!;
    const simIds = [...own.sortSims()];
    const features = computeDayFeatures({ words: own.words, sims: own.sims, rows: own.rows, simCount: simIds.length });
    rows.set(
      day,
      rowsByClient(inventory.clients.length, simIds, (simId) => inventory.clientOfSim[simId]!, features),
    );
    packed.delete(day);
  }
  const truth = await readTruth(join(directory, 'truth.json'), inventory, days);
  return { name: directory, days, clients: inventory.clients, ...truth, rows, passedOver: counts.passedOver };
}

type Row = Readonly<Record<string, string>>;

/** Some rows at a time: one by one costs more than reading them. */
async function* csvRows(file: string): AsyncGenerator<Row[]> {
  const lines = new LineSplitter();
  const records = new CsvReader(null);
  let header: readonly string[] | null = null;
  const rowOf = (fields: readonly string[] | null): Row[] => {
    if (fields === null) return [{}];
    if (header === null) {
      header = fields.map((name, place) => (place === 0 ? name.replace(/^\uFEFF/, '') : name).trim());
      return [];
    }
    const row: Record<string, string> = {};
    header.forEach((name, place) => (row[name] = fields[place] ?? ''));
    return [row];
  };
  const source = createReadStream(file);
  try {
    for await (const chunk of (file.endsWith('.gz') ? source.pipe(createGunzip()) : source) as AsyncIterable<Buffer>) {
      yield records.push(lines.push(chunk)).flatMap(({ fields }) => rowOf(fields));
    }
  } catch (error) {
    throw new SimwardenError('FILE_UNREADABLE', { file, what: (error as Error).message });
  }
  yield [...records.push(lines.end()), ...records.end()].flatMap(({ fields }) => rowOf(fields));
}

async function readInventory(file: string): Promise<Inventory> {
  const simByImsi = new Map<string, number>();
  const simByIccid = new Map<string, number>();
  const clients = new Map<string, number>();
  const clientOfSim = [0];
  for await (const rows of csvRows(file)) {
    for (const { imsi, iccid, client } of rows) {
      if (!imsi || !client) continue;
      if (!clients.has(client)) clients.set(client, clients.size);
      simByImsi.set(imsi, clientOfSim.length);
      if (iccid) simByIccid.set(iccid, clientOfSim.length);
      clientOfSim.push(clients.get(client)!);
    }
  }
  return { simByImsi, simByIccid, clients: [...clients.keys()], clientOfSim };
}

/** False where the row can't be a dialogue of a known SIM. */
function addDialogue(packed: Map<Day, PackedDialogues>, { simByImsi }: Inventory, row: Row): boolean {
  const sim = simByImsi.get(row['imsi'] ?? '');
  const startedAt = instantOf(row['started_at'] ?? '');
  const codes = [
    code(PROTOCOLS, row['protocol']),
    code(PROCEDURES, row['procedure']),
    code(ORIGINS, row['origin']),
    code(OUTCOMES, row['outcome']),
  ];
  if (sim === undefined || startedAt === null || codes.includes(0)) return false;
  const day = dayOf(startedAt);
  const own = packed.get(day) ?? new PackedDialogues(65_536);
  packed.set(day, own);
  const [protocol, procedure, origin, outcome] = codes as [number, number, number, number];
  const plmn = /^(\d{3})-?(\d{2,3})$/.exec(row['visited_plmn'] ?? '');
  own.add(sim, {
    millisecond: startedAt - startOfDay(day),
    durationMs: wholeNumber(row['duration_ms']),
    protocol,
    procedure,
    origin,
    outcome,
    resultCode: wholeNumber(row['result_code']),
    plmn: plmn ? plmnCode(`${plmn[1]}-${plmn[2]}`) : null,
    nodeId: row['node'] ? nodeNumber(row['node']) : null,
    cancellationType: code(CANCELLATION_TYPES, row['cancellation_type']) || null,
    formatViolation: row['format_violation'] === 'true' || row['format_violation'] === '1',
  });
  return true;
}

const nodeNumbers = new Map<string, number>();

function nodeNumber(name: string): number {
  const known = nodeNumbers.get(name) ?? nodeNumbers.size + 1;
  nodeNumbers.set(name, known);
  return known;
}

function code(names: readonly string[], given: string | undefined): number {
  return names.indexOf((given ?? '').trim().toUpperCase()) + 1;
}

function wholeNumber(given: string | undefined): number | null {
  return given !== undefined && /^\d{1,9}$/.test(given) ? Number(given) : null;
}

function instantOf(given: string): number | null {
  const at = /^\d{9,14}$/.test(given) ? Number(given) : Date.parse(given);
  return Number.isFinite(at) ? Math.trunc(at) : null;
}

interface Story {
  readonly kind?: string;
  readonly client?: string;
  readonly iccids?: readonly string[];
  readonly imsis?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly days?: readonly string[];
  /** Kinds of records that show it; absent: dialogues do. */
  readonly seenIn?: readonly string[];
}

async function readTruth(
  file: string,
  { simByIccid, simByImsi, clients, clientOfSim }: Inventory,
  days: readonly Day[],
): Promise<Pick<PopulationDays, 'incidents' | 'controls'>> {
  let truth: { stories?: readonly Story[]; incidents?: readonly Story[]; controls?: readonly string[] };
  try {
    truth = JSON.parse(await readFile(file, 'utf8')) as typeof truth;
  } catch (error) {
    throw new SimwardenError('FILE_UNREADABLE', { file, what: (error as Error).message });
  }
  const incidents = [...(truth.stories ?? []), ...(truth.incidents ?? [])]
    .filter(({ seenIn }) => seenIn === undefined || seenIn.includes('DIALOGUES'))
    .map((story): TrueIncident => {
      const sims = [
        ...(story.iccids ?? []).map((iccid) => simByIccid.get(iccid)),
        ...(story.imsis ?? []).map((imsi) => simByImsi.get(imsi)),
      ];
      const known = sims.filter((sim) => sim !== undefined);
      const client = story.client ?? clients[clientOfSim[known[0] ?? 0]!]!;
      return { kind: story.kind ?? 'INCIDENT', client, days: daysOf(story, days), simIds: new Set(known.map(String)) };
    });
  return { incidents, controls: truth.controls ?? [] };
}

/** Its days by name, else those that it touches. */
function daysOf({ days: named, from, to }: Story, all: readonly Day[]): Day[] {
  if (named) return named.map((day) => day.slice(0, 10)).filter((day) => all.includes(day));
  const start = from === undefined ? all[0] : dayOf(new Date(from));
  // a day as the end includes it; an instant ends before itself
  const end = to === undefined ? all.at(-1) : to.length === 10 ? to : dayOf(Date.parse(to) - 1);
  return start && end ? daysFrom(start, end).filter((day) => all.includes(day)) : [];
}

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw new SimwardenError('FILE_UNREADABLE', { file: directory, what: (error as Error).message });
  }
}
