/** What a truth.json says, held against what it may say: the first thing that is otherwise is named by its place in the file. */
import { readFile } from 'node:fs/promises';
import { dayOf, startOfDay, type Day } from '../../detection/days';
import { SimwardenError } from '../../errors';
import { instantOf, isDay } from './instant';

export interface Story {
  /** How warnings call it. */
  readonly name: string;
  readonly kind: string;
  readonly client: string | null;
  /** ISO 3166-1 alpha-2 in capitals, where there are no SIMs to say where it was. */
  readonly country: string | null;
  /** ICCIDs and IMSIs; null: it lists none. */
  readonly sims: readonly string[] | null;
  /** null: on all days from `from` to `to`. */
  readonly days: readonly Day[] | null;
  /** null: from the first day of the data. */
  readonly from: Day | null;
  /** null: to the last day of the data. */
  readonly to: Day | null;
}

export interface Truth {
  /** Those that dialogues show. */
  readonly stories: readonly Story[];
  /** Names of clients. */
  readonly controls: readonly string[];
}

export async function readTruthFile(file: string): Promise<Truth> {
  let json: unknown;
  try {
    json = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new SimwardenError('FILE_UNREADABLE', { file, what: (error as Error).message });
  }
  try {
    return truthOf(json);
  } catch (error) {
    throw error instanceof Otherwise ? new SimwardenError('FILE_UNREADABLE', { file, what: error.message }) : error;
  }
}

/** Something in the file is not what was expected there. */
class Otherwise extends Error {
  constructor(where: string, expected: string, given: unknown) {
    super(`${where}: expected ${expected}, got ${JSON.stringify(given)?.slice(0, 60) ?? 'nothing'}`);
  }
}

function truthOf(json: unknown): Truth {
  const truth = objectOf('the file', json);
  const listsOfStories = ['stories', 'incidents'].filter((name) => isGiven(truth[name]));
  if (listsOfStories.length === 0) throw new Otherwise('the file', 'a list "stories" or "incidents", if an empty one', json);
  return {
    stories: listsOfStories.flatMap((name) => listOf(name, truth[name]).flatMap((story, at) => storyOf(`${name}[${at}]`, story) ?? [])),
    controls: ['controls', 'control'].flatMap((name) => controlsOf(name, truth[name])),
  };
}

/** null: other records than dialogues show it. */
function storyOf(where: string, json: unknown): Story | null {
  const story = objectOf(where, json);
  const texts = (name: string): string[] | null =>
    isGiven(story[name]) ? listOf(`${where}.${name}`, story[name]).map((text, at) => textOf(`${where}.${name}[${at}]`, text)) : null;
  const text = (name: string): string | null => (isGiven(story[name]) ? textOf(`${where}.${name}`, story[name]) : null);
  if (texts('seenIn')?.includes('DIALOGUES') === false) return null;
  // some generators count them under this name
  const lists = ['iccids', 'imsis', ...(typeof story['sims'] === 'number' ? [] : ['sims'])];
  const sims = lists.flatMap((name) => texts(name) ?? []);
  const [id, kind, client] = [text('id'), text('kind'), text('client')];
  // of listed SIMs it is known where they were, whatever the truth calls the place
  const country = sims.length > 0 && !isCountry(story['country']) ? null : countryOf(`${where}.country`, story['country']);
  const about = [id, kind, client].filter((one) => one !== null).join(', ');
  return {
    name: about === '' ? where : `${where} (${about})`,
    kind: kind ?? 'INCIDENT',
    client,
    country,
    sims: sims.length > 0 ? sims : null,
    days: texts('days')?.map((day, at) => dayIn(`${where}.days[${at}]`, day)) ?? null,
    ...spanOf(where, story['from'], story['to']),
  };
}

function spanOf(where: string, from: unknown, to: unknown): Pick<Story, 'from' | 'to'> {
  const start = isGiven(from) ? momentOf(`${where}.from`, from) : null;
  const end = isGiven(to) ? momentOf(`${where}.to`, to) : null;
  const first = start && dayOf(start.at);
  // a day as the end includes it; an instant ends before itself, but not before the start
  const last = end && (end.isDay || end.at === start?.at ? dayOf(end.at) : dayOf(end.at - 1));
  if (start && end && (end.isDay ? end.at < startOfDay(dayOf(start.at)) : end.at < start.at))
    throw new Otherwise(`${where}.to`, `nothing before its from, ${String(from)}`, to);
  return { from: first, to: last };
}

function momentOf(where: string, given: unknown): { readonly at: number; readonly isDay: boolean } {
  const text = typeof given === 'number' ? String(given) : given;
  const at = typeof text === 'string' && (!/^\d{4}-/.test(text) || isDay(text.slice(0, 10))) ? instantOf(text) : null;
  if (at === null) throw new Otherwise(where, 'a day such as 2026-11-12 or an instant such as 2026-11-12T08:30:00Z', given);
  return { at, isDay: isDay(text as string) };
}

/** Instants stand for their day. */
function dayIn(where: string, given: string): Day {
  return dayOf(momentOf(where, given).at);
}

function countryOf(where: string, given: unknown): string | null {
  if (!isGiven(given)) return null;
  if (!isCountry(given)) throw new Otherwise(where, 'two letters of ISO 3166-1 such as DE', given);
  return given.trim().toUpperCase();
}

function isCountry(given: unknown): given is string {
  return typeof given === 'string' && /^[a-z]{2}$/i.test(given.trim());
}

/** A name, an object that has one, or a list of such. */
function controlsOf(where: string, given: unknown): string[] {
  if (!isGiven(given)) return [];
  if (Array.isArray(given)) return given.flatMap((one, at) => controlsOf(`${where}[${at}]`, one));
  const name = typeof given === 'object' ? ((given as Fields)['client'] ?? (given as Fields)['name']) : given;
  if (typeof name !== 'string') throw new Otherwise(where, 'the name of a client, or a list of them', given);
  return [name.trim()];
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(where: string, given: unknown): Fields {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Otherwise(where, 'an object', given);
  return given as Fields;
}

function listOf(where: string, given: unknown): readonly unknown[] {
  if (!Array.isArray(given)) throw new Otherwise(where, 'a list', given);
  return given;
}

function textOf(where: string, given: unknown): string {
  if (typeof given === 'string') return given.trim();
  // 19 digits of an ICCID are more than a number of JSON keeps
  if (Number.isSafeInteger(given)) return String(given);
  throw new Otherwise(where, 'a text', given);
}

/** Many generators write null for what they leave out. */
function isGiven(given: unknown): boolean {
  return given !== undefined && given !== null;
}
