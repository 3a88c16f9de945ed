/** The README's table of settings, from the settings themselves. Run with `npm run docs`; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { settings } from '../src/config';

const block = /(<!-- configuration:[^>]*-->\n)[\s\S]*?(<!-- \/configuration -->)/;

export function configurationTable(): string {
  const rows = Object.values(settings).map((setting) => {
    const fallback = setting.fallback === null || setting.fallback.toString() === '' ? '–' : `\`${setting.fallback.toString()}\``;
    return `| \`${setting.environment}\` | ${setting.description} | ${fallback} | ${setting.expected} |`;
  });
  return ['| variable | meaning | default | valid |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

export function withConfigurationTable(readme: string): string {
  return readme.replace(block, (_, start: string, end: string) => `${start}${configurationTable()}${end}`);
}

if (require.main === module) writeFileSync('README.md', withConfigurationTable(readFileSync('README.md', 'utf8')));
