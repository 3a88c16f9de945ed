/** Documents say what is: links resolve, commands exist, tables come from what they describe, examples are valid. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isEnumType, parse, validate } from 'graphql';
import { builtInDetectors, populationDetectors } from '../../plugins';
import { printableSchema } from '../../src/app';
import { settings } from '../../src/config';
import { errorCatalogue } from '../../src/errors';
import { closeCodes } from '../../src/graphql/socket-messages';
import { recordKinds } from '../../src/telemetry/record-kind';
import { simKind } from '../../src/telemetry/sim-import';
import { columns } from '../../seeds';
import { configurationTable, withConfigurationTable } from '../../scripts/configuration-table';

const root = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', '.git', 'coverage', '.simwarden'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path, ending) : entry.name.endsWith(ending) ? [path] : [];
  });
}

const documents = filesBelow('.', '.md');

describe('the documents', () => {
  it('link only to what exists', () => {
    const broken = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !existsSync(join(root, dirname(document), target)))
        .map((target) => `${document} → ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/npm (?:run (?:-s )?([a-z:]+)|(test|start)\b)/g)].map((match) => match[1] ?? match[2]!),
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it('show the settings as the configuration declares them', () => {
    expect(configurationTable()).toContain('SIMWARDEN_OPERATOR_KEY');
    expect(read('README.md')).toBe(withConfigurationTable(read('README.md')));
    expect(read('README.md')).toContain(configurationTable());
  });

  it('show the columns that the endpoints take, of which the simulator writes a part', () => {
    const shown = Object.fromEntries(
      [...read('README.md').matchAll(/^\| ([a-z-]+) \| ([a-z_, ]+) \|$/gm)].map(([, kind, names]) => [kind, names!.split(', ')]),
    );
    const kinds = [simKind, ...Object.values(recordKinds)];
    expect(shown).toEqual(Object.fromEntries(kinds.map((kind) => [kind.name, Object.keys(kind.columns)])));
    const written = {
      sims: columns.sims,
      usage: columns.usage,
      'connection-events': columns.connectionEvents,
      'device-events': columns.deviceEvents,
    };
    for (const [kind, names] of Object.entries(written)) expect(shown[kind]).toEqual(expect.arrayContaining([...names]));
  });

  it('give GraphQL examples that the schema takes', async () => {
    const schema = await printableSchema();
    const examples = documents.flatMap((document) =>
      [...read(document).matchAll(/```graphql\n([\s\S]*?)```/g)].map((match) => ({ document, text: match[1]! })),
    );
    expect(examples.length).toBeGreaterThan(1);
    const faults = examples.flatMap(({ document, text }) => validate(schema, parse(text)).map((error) => `${document}: ${error.message}`));
    expect(faults).toEqual([]);
  });

  it('map every room of the house, and only those', () => {
    const rooms = [...read('src/README.md').matchAll(/^\| ((?:`[^`]+` ?)+)\|/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
    );
    const mapped = rooms.filter((room) => /^[a-z-]+(\/|\.ts)$/.test(room)).sort();
    const there = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [`${entry.name}/`] : entry.name.endsWith('.ts') ? [entry.name] : [],
    );
    expect(mapped).toEqual(there.sort());
    const started = [...read('src/README.md').matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map((match) => match[1]!);
    expect(started.filter((file) => !existsSync(join(root, 'src', file)))).toEqual([]);
  });
});

describe('src/README.md', () => {
  it('lists the close codes of the WebSocket protocol, and only those', () => {
    const told = [...read('src/README.md').matchAll(/^\| (\d{4}) \|/gm)].map((row) => Number(row[1]));
    const messageTooLong = 1009; // the ws package's own
    expect(told).toEqual([...Object.values(closeCodes).map(({ code }) => code), messageTooLong].sort());
    const ofPortals = [...read('README.md').matchAll(/^\| (\d{4}(?:, \d{4})*) \|/gm)].flatMap((row) => row[1]!.split(', ').map(Number));
    const lineBroke = 1006; // nobody sends it
    expect(ofPortals.filter((code) => code !== lineBroke && !told.includes(code))).toEqual([]);
  });

  it('explains its words in order, each once', () => {
    const words = [
      ...read('src/README.md')
        .split('## Glossary')[1]!
        .matchAll(/^\| ([^|]+) \|/gm),
    ]
      .map((row) => row[1]!)
      .slice(2);
    expect(words.length).toBeGreaterThan(40);
    expect(words).toEqual([...new Set(words)].sort((a, b) => a.localeCompare(b, 'en', { sensitivity: 'base' })));
  });
});

describe('the error catalogue', () => {
  const sources = filesBelow('src', '.ts')
    .filter((path) => path !== 'src/errors.ts' && !path.endsWith('.test.ts'))
    .map(read)
    .join('\n');

  it('has no code that nothing uses', () => {
    expect(Object.keys(errorCatalogue).filter((code) => !new RegExp(`['"\`]${code}['"\`]`).test(sources))).toEqual([]);
  });

  it('has every code that the documents name, as the schema has every value', async () => {
    const schema = await printableSchema();
    const values = Object.values(schema.getTypeMap()).flatMap((type) => (isEnumType(type) ? type.getValues().map(({ name }) => name) : []));
    const examples = [...filesBelow('examples', 'index.js'), ...filesBelow('examples', 'index.ts')].map(read).join('\n');
    const kinds = [
      ...[...builtInDetectors, ...populationDetectors].flatMap(({ meta }) => meta.kinds.map(({ id }) => id)),
      ...[...examples.matchAll(/id: '([A-Z_]+)'/g)].map(([, id]) => id!),
    ];
    const keys = Object.values(settings).map(({ environment }) => environment);
    // of tests; of device events, whose types are the sender's words; of the kit's example of a calendar
    const others = ['TEST_DATABASE_URL', 'REBOOT', 'TLS_ERROR', 'RETRY_LOOP', 'SATURDAY'];
    const known = new Set<string>([...Object.keys(errorCatalogue), ...values, ...kinds, ...keys, ...others]);
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/`([A-Z]{3,}(?:_[A-Z]+)*)`/g)].map(([, word]) => ({ document, word: word! })),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(({ word }) => !known.has(word))).toEqual([]);
  });

  it('says in every message what to do or what is so, as a sentence', () => {
    expect(
      Object.entries(errorCatalogue).filter(
        ([code, { message }]) => code !== 'BAD_USER_INPUT' && code !== 'BAD_REQUEST' && !/[.}]$/.test(message),
      ),
    ).toEqual([]);
  });
});
