/** Detectors of a few words, for tests. */
import type { ColumnName, Detector, Kind } from '../../../src/detector';

/** What a test's detector says of one row: fires (0, 1, 2) with a score, or a reason to abstain. */
export type RowVerdict = { readonly fires: 0 | 1 | 2; readonly score?: number } | { readonly abstains: string };

/** A detector in one function: called per row with a reader of its columns. */
export function tinyDetector(
  id: string,
  needs: readonly ColumnName[],
  kind: Partial<Kind>,
  judge: (
    at: (column: ColumnName) => number,
    row: { wasFiring: boolean; consecutiveWindows: number; name: (column: ColumnName) => string | null },
  ) => RowVerdict,
  input: 'usage' | 'events' = 'usage',
): Detector {
  const full: Kind = {
    id: 'FIRED',
    title: 'It fired',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
    ...kind,
  };
  return {
    meta: {
      id,
      version: '1.0.0',
      contract: 1,
      title: id,
      summary: id,
      input,
      needs,
      kinds: [full],
      decides: 'itself',
      scope: 'client',
      limits: 'For tests.',
      options: { type: 'object', additionalProperties: false, properties: {} },
    },
    detect(given) {
      const scores = new Float64Array(given.rows);
      const fires = new Uint8Array(given.rows);
      const abstained: { row: number; reason: string }[] = [];
      for (let row = 0; row < given.rows; row++) {
        const column = (name: ColumnName) => given.columns[name];
        const verdict = judge((name) => (column(name) as Float64Array)[row]!, {
          wasFiring: given.wasFiring[row] === 1,
          consecutiveWindows: given.consecutiveWindows[row]!,
          name: (name) => {
            const values = column(name);
            return values instanceof Float64Array ? null : (values.names[values.codes[row]!] ?? null);
          },
        });
        if ('abstains' in verdict) {
          scores[row] = NaN;
          abstained.push({ row, reason: verdict.abstains });
        } else {
          fires[row] = verdict.fires;
          scores[row] = verdict.score ?? verdict.fires;
        }
      }
      return { scores, fires, abstained };
    },
    explain: (_, rows) => rows.map(() => [{ column: needs[0]!, observed: 1, expected: 0, unit: '', weight: 1, text: 'because' }]),
  };
}
