/** `simwarden check --new`: begins a detector as a copy of the smallest example, under its own name. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { SimwardenError } from '../errors';

const examples = { javascript: 'smallest', typescript: 'smallest-typescript' } as const;
const EXAMPLE_ID = 'acme-upload-heavy';

export function newDetector(folder: string, language: keyof typeof examples): void {
  const target = resolve(folder);
  const id = basename(target);
  const refuse = (what: string) => new SimwardenError('FOLDER_UNUSABLE', { folder: target, what });
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(id))
    throw refuse('its name becomes the id of the detector, lower-case letters, digits and hyphens: choose another');
  if (existsSync(target) && readdirSync(target).length > 0) throw refuse('it is not empty: choose another, or empty it');
  // from src/commands as from dist/src/commands
  const source = [join(__dirname, '../../examples'), join(__dirname, '../../../examples')].find((path) => existsSync(path))!;
  // what a build or an installation left in the example is not part of it
  cpSync(join(source, examples[language]), target, {
    recursive: true,
    filter: (path) => !/[\\/](dist|node_modules)$/.test(relative(source, path)),
  });
  for (const path of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    const file = join(target, path);
    if (statSync(file).isFile()) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(EXAMPLE_ID, id));
  }
  const next =
    language === 'typescript' ? ['npm install', 'npm run build', 'npx simwarden check .'] : ['npm install', 'npx simwarden check .'];
  process.stdout.write(`${id} begins in ${target}. Next:\n${[`cd ${target}`, ...next].map((line) => `  ${line}\n`).join('')}`);
}
