/** plugins/COLUMNS.md: what a detector may ask for, from the catalogue. Run with `npm run docs`; a test compares. */
import { writeFileSync } from 'node:fs';
import { columnCatalogue, type ColumnDescription } from '../src/detector';

const inputs: Readonly<Record<ColumnDescription['input'], string>> = {
  usage: 'One row per SIM and UTC day: running totals, limits, baselines. Judged within seconds, and again when the day closes.',
  events: 'One row per event of a SIM on the UTC day, sorted by SIM and event time. Judged within seconds, and again when the day closes.',
  services: 'One row per visited country, hour and service, of hours that are over.',
  features: 'One row per SIM and UTC day with signaling, once the day is closed.',
};

export function columnsPage(): string {
  const columns = Object.entries(columnCatalogue as Readonly<Record<string, ColumnDescription>>);
  const table = (input: string): string[] =>
    columns
      .filter(([, column]) => column.input === input || column.alsoInput === input)
      .map(
        ([name, { type, unit, description }]) =>
          `| \`${name}\` | ${type === 'category' ? 'names' : unit} | ${description.replaceAll('|', '\\|')} |`,
      );
  return [
    '# The columns',
    '',
    'What `needs` may name, by `input`. A number column is a `Float64Array`, NaN where the value is unknown; one of names has `codes` (−1 where unknown)',
    'into its list `names`. A detector reads those that it declares, no others. `quietSimDay`, `quietEvent` and the synthetic fleets of',
    '`simwarden/detector/testing` have a usual value for each.',
    ...Object.entries(inputs).flatMap(([input, what]) => [
      '',
      `## ${input}`,
      '',
      what,
      '',
      '| column | unit | meaning |',
      '| --- | --- | --- |',
      ...table(input),
    ]),
    '',
  ].join('\n');
}

if (require.main === module) writeFileSync('plugins/COLUMNS.md', columnsPage());
