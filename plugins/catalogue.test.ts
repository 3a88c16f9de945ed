import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { ModuleKind, transpileModule } from 'typescript';
import type { Detector } from 'simwarden/detector';
import { checkDeclaration, checkDetector, contractChecks, quietSimDay, syntheticUsage } from 'simwarden/detector/testing';
import { builtInDetectors, populationDetectors } from '.';

const readme = readFileSync(join(__dirname, 'README.md'), 'utf8');
const folders = readdirSync(__dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const all = [...builtInDetectors, ...populationDetectors];

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
const section = (name: string) => readme.split(`<!-- ${name} -->\n`)[1]?.split(`<!-- /${name} -->`)[0];

const builtInTable = [
  '| detector | finds | kinds | judged | reads |',
  '| --- | --- | --- | --- | --- |',
  ...all.map(({ meta }) => {
    const kinds = meta.kinds
      .map(({ id, severity, escalated }) => `\`${id}\` ${severity}${escalated === undefined ? '' : ` → ${escalated}`}`)
      .join('<br>');
    const judged = meta.kinds.map((kind) => (kind.judged === 'ANY_TIME' ? 'within seconds' : 'at day close')).join('<br>');
    return `| [${meta.id}](${meta.id}/README.md) | ${meta.summary} | ${kinds} | ${judged} | ${meta.input} |`;
  }),
  '',
].join('\n');

const checkTable = ['| check | demand |', '| --- | --- |', ...contractChecks.map(({ id, title }) => `| \`${id}\` | ${title} |`), ''].join(
  '\n',
);

describe('the built-in detectors', () => {
  it('are listed in the README as their declarations say', () => {
    expect(section('built-ins')).toBe(builtInTable);
  });

  it('are the folders here, each with a README and a test, each listed once', () => {
    expect(all.map(({ meta }) => meta.id).sort()).toEqual([...folders].sort());
    for (const folder of folders) {
      expect([folder, existsSync(join(__dirname, folder, 'README.md')), existsSync(join(__dirname, folder, `${folder}.test.ts`))]).toEqual([
        folder,
        true,
        true,
      ]);
    }
  });

  it.each(all.map((detector) => [detector.meta.id, detector] as const))('%s declares itself as the contract says', async (_, detector) => {
    expect(await checkDeclaration(detector)).toEqual([]);
  });

  it('import nothing but the public contract', () => {
    for (const folder of folders) {
      const code = readdirSync(join(__dirname, folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
      const imports = code.flatMap((file) =>
        [...readFileSync(join(__dirname, folder, file), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1]),
      );
      expect(imports.filter((name) => !/^(simwarden\/detector(\/numeric)?|\.\/[a-z-]+)$/.test(name!))).toEqual([]);
    }
  });
});

describe('plugins/README.md', () => {
  it('lists the checks of the kit', () => {
    expect(section('checks')).toBe(checkTable);
  });

  it('shows a detector that passes the kit', async () => {
    const source = /```ts\n(import \{ bytesInWords[\s\S]*?)```/.exec(readme)![1]!;
    const { outputText } = transpileModule(source, { compilerOptions: { module: ModuleKind.CommonJS } });
    const shown = { exports: {} as { default: Detector } };
    const load = runInThisContext(`(function (module, exports, require) {${outputText}\n})`) as (...given: unknown[]) => void;
    load(shown, shown.exports, require);
    const results = await checkDetector(shown.exports.default, {
      quiet: [{ name: 'quiet fleet', rows: syntheticUsage({ sims: 1000, seed: 1 }) }],
      anomalous: [
        { name: 'stolen camera', kind: 'UPLOAD_HEAVY', planted: [1], rows: [quietSimDay, { ...quietSimDay, dayUplinkBytes: 9e8 }] },
      ],
    });
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(12);
  });
});
