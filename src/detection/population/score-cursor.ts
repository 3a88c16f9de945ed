/** Cursors over scores: float8 as text, which JSON and the database read back to the same bits. */
import { SimwardenError } from '../../errors';
import { decodeCursor, type CursorValue } from '../../graphql/connection';
import type { DetectorRegistry } from '../host/registry';

/** Decodes a cursor whose first value is a score. */
export function decodeScoreCursor(cursor: string, rest: Parameters<typeof decodeCursor>[1]): CursorValue[] {
  const values = decodeCursor(cursor, ['text', ...rest]);
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(String(values[0])) || !Number.isFinite(Number(values[0])))
    throw new SimwardenError('BAD_CURSOR', { given: cursor.slice(0, 80) });
  return values;
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
