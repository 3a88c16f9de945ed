/** `npm run bench -- SUITE [--json] [--full] [--repeats N]`: measures side by side and says what came out; with --json the last line is for programs. */
import 'reflect-metadata';
import { Command, InvalidArgumentError } from 'commander';
import { machine } from './harness';
import { suites } from './suites';

function repeatsOf(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 5) throw new InvalidArgumentError('expected a whole number from 5 to 999.');
  return Number(text);
}

interface Options {
  readonly json: boolean;
  readonly full: boolean;
  readonly repeats: number;
}

async function run(name: string, options: Options): Promise<void> {
  const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
  if (!load) throw new Error(`expected one of ${Object.keys(suites).join(', ')}, got ${name}.`);
  const { suite } = await load();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(`${suite.name}: ${suite.summary}\n${machine()}`);
  const { ratios, figures } = await suite.run({ repeats: options.repeats, full: options.full, say });
  for (const [title, values] of Object.entries({ ratios, figures })) {
    process.stdout.write(`${title}\n`);
    for (const [key, value] of Object.entries(values)) process.stdout.write(`  ${key.padEnd(40)} ${Number(value.toPrecision(4))}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ suite: suite.name, ratios, figures })}\n`);
}

new Command('bench')
  .description(`measures one suite: ${Object.keys(suites).join(', ')}`)
  .argument('<suite>')
  .option('--json', 'end with one line of JSON', false)
  .option('--full', 'the size that takes long', false)
  .option('--repeats <n>', 'turns of each side', repeatsOf, 5)
  .action(run)
  .parseAsync()
  // a suite may leave connections and workers behind it
  .then(() => process.exit(0))
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
