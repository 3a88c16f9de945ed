import type { Check } from './check';

export const readmeHeadings = ['What it finds', 'How', 'Options', 'Evidence', 'Limits', 'When not to use it', 'Reference'] as const;

export const readmeComplete: Check = {
  id: 'readme-complete',
  title: 'the README has the seven headings in order and names every kind, option and default',
  run({ detector: { meta } }, { readme }) {
    if (readme === undefined) return { skipped: 'no README was given' };
    const headings = [...readme.matchAll(/^## (.+)$/gm)].map((match) => match[1]!.trim());
    const mistakes =
      headings.join('\n') === readmeHeadings.join('\n')
        ? []
        : [`README: expected the headings ${readmeHeadings.join(' · ')}, got ${headings.join(' · ') || 'none'}`];
    for (const { id } of meta.kinds) {
      if (!readme.includes(`\`${id}\``)) mistakes.push(`README: the kind \`${id}\` is not named`);
    }
    for (const [name, option] of Object.entries(meta.options.properties)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      if (row === undefined) mistakes.push(`README: the options table has no row for \`${name}\``);
      else if (!row.includes(`\`${JSON.stringify(option.default)}\``))
        mistakes.push(`README: the row of \`${name}\` does not give its default \`${JSON.stringify(option.default)}\``);
    }
    return mistakes;
  },
};
