/** Cursors over scores: float8 as text, which JSON and the database read back to the same bits. */
import { SimwardenError } from '../../errors';
import { decodeCursor, type CursorValue } from '../../graphql/connection';
import type { DetectorRegistry } from '../host/registry';

type CursorKind = Parameters<typeof decodeCursor>[1][number];

/** Decodes a cursor that has scores among its values: `kinds` as decodeCursor has them, and `score`. */
export function decodeScoreCursor(cursor: string, kinds: readonly (CursorKind | 'score')[]): CursorValue[] {
  const values = decodeCursor(
    cursor,
    kinds.map((kind) => (kind === 'score' ? 'text' : kind)),
  );
  if (kinds.some((kind, at) => kind === 'score' && !isScore(String(values[at]))))
    throw new SimwardenError('BAD_CURSOR', { given: cursor.slice(0, 80) });
  return values;
}

function isScore(text: string): boolean {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
}

/** The detector whose decisions are shown where none is named: the first of the population, which speaks by default. Throws for one that judges no population. */
export function shownDetector(registry: DetectorRegistry, asked: string | null | undefined): string {
  const population = registry.population().map(({ meta }) => meta.id);
  if (asked === undefined || asked === null) return population[0] ?? '';
  if (!population.includes(asked))
    throw new SimwardenError('UNKNOWN_DETECTOR', { given: asked, known: population.join(', ') }, ['filter', 'detector']);
  return asked;
}

/** ISO 3166-1 alpha-2 in either case; what is no such code would answer an empty list that looks like a quiet day. */
export function shownCountry(asked: string): string {
  if (!/^[A-Za-z]{2}$/.test(asked))
    throw new SimwardenError(
      'BAD_USER_INPUT',
      { what: `country: expected two letters of ISO 3166-1, such as ES, or ZZ; got "${asked.slice(0, 40)}".` },
      ['filter', 'country'],
    );
  return asked.toUpperCase();
}
