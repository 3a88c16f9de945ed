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

/** The detector whose decisions are shown where none is named: the first of the population, which speaks by default. */
export function shownDetector(registry: DetectorRegistry, asked: string | null | undefined): string {
  return asked ?? registry.population()[0]?.meta.id ?? '';
}
