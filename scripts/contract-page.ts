/** The tables of plugins/CONTRACT.md, from the clauses and floors of the kit. Run with `npm run docs`; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { contractClauses, recallFloors } from '../src/detector/testing';

const tables = {
  clauses: [
    '| clause | | executed by |',
    '| --- | --- | --- |',
    ...contractClauses.map(
      ({ id, text, check }) => `| ${id} | ${text.replaceAll('|', '\\|')} | ${check === undefined ? '' : `\`${check}\``} |`,
    ),
  ],
  floors: [
    '| shape | floor |',
    '| --- | --- |',
    ...Object.entries(recallFloors).map(([shape, floor]) => `| \`${shape}\` | ${floor * 100} % |`),
  ],
};

export function withContractTables(page: string): string {
  return Object.entries(tables).reduce(
    (text, [name, lines]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, start: string, end: string) => `${start}${lines.join('\n')}\n${end}`,
      ),
    page,
  );
}

if (require.main === module) writeFileSync('plugins/CONTRACT.md', withContractTables(readFileSync('plugins/CONTRACT.md', 'utf8')));
