#!/usr/bin/env node
/**
 * The command line: parses arguments, runs a command, and turns failures into one clear line and a non-zero exit.
 * A command is loaded when it is called, so that help and a mistyped option are answered at once.
 */
import 'reflect-metadata';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { BacktestOptions } from './commands/backtest';
import type { EvaluateOptions } from './commands/evaluate';
import type { IngestOptions } from './commands/ingest';
import type { DetectOptions, FitOptions } from './commands/population';
import type { ScoreOptions } from './commands/score';
import type { SimulateOptions } from './commands/simulate';
import { Config } from './config';
import { SimwardenError } from './errors';
import { INGEST_KINDS } from './telemetry/ingest-kind';

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,10}$/.test(text) || Number(text) < minimum || Number(text) > maximum) {
      throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}.`);
    }
    return Number(text);
  };
}

function factor(maximum: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,6}(\.\d{1,6})?$/.test(text) || Number(text) <= 0 || Number(text) > maximum) {
      throw new InvalidArgumentError(`expected a number above 0 and up to ${maximum}.`);
    }
    return Number(text);
  };
}

function midnight(text: string): Date {
  const day = new Date(`${text}T00:00:00Z`);
  // 30 February parses, as 2 March
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError('expected a date, such as 2026-11-15.');
  }
  return day;
}

/** The day as it was given. */
function day(text: string): string {
  return midnight(text).toISOString().slice(0, 10);
}

function seedList(text: string): number[] {
  const seeds = text.split(',').map((each) => each.trim());
  if (!seeds.every((each) => /^\d{1,10}$/.test(each) && Number(each) <= 0x7fffffff))
    throw new InvalidArgumentError('expected whole numbers from 0 to 2147483647 with commas between them.');
  return seeds.map(Number);
}

function webAddress(text: string): string {
  if (!/^https?:\/\/[^/\s]+/.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('expected a URL, such as http://127.0.0.1:4000.');
  return text;
}

const DEFAULT_END = '2026-11-15';

function commandLine(): Command {
  const program = new Command('simwarden').description(
    'Watches fleets of IoT SIMs, finds the ones that misbehave, and blocks a SIM safely.',
  );
  program
    .command('serve')
    .description('run the server until it is stopped')
    .action(async () => {
      const { serve } = await import('./commands/serve.js');
      await serve(Config.fromEnvironment());
    });
  program
    .command('demo')
    .description('play the story fleets against a real server and say what was found')
    .option('--once', 'exit after the report: 0 if every story was found, 1 otherwise', false)
    .option('--sims <n>', 'SIMs in all', wholeNumber(60, 6_000), 240)
    .option('--days <n>', 'days of telemetry', wholeNumber(12, 60), 14)
    .option('--seed <n>', 'seed of the simulation', wholeNumber(0, 9_999), 1)
    .action(async (options: { once: boolean; sims: number; days: number; seed: number }) => {
      const { runDemo } = await import('./commands/demo/index.js');
      process.exitCode = await runDemo({ ...options, end: midnight(DEFAULT_END) }, Config.fromEnvironment());
    });
  program
    .command('migrate')
    .description("bring the database to this version's schema")
    .action(async () => {
      const { migrateCommand } = await import('./commands/migrate.js');
      await migrateCommand(Config.fromEnvironment());
    });
  program
    .command('ingest')
    .addArgument(new Argument('<kind>', 'what the file holds').choices(INGEST_KINDS))
    .addArgument(new Argument('<file>', 'CSV or NDJSON (.ndjson, .jsonl), .gz as it is; - for standard input'))
    .description('send a file to the server that runs, or where none does, store it without one')
    .addOption(new Option('--url <url>', 'a server elsewhere, with the key in SIMWARDEN_OPERATOR_KEY').argParser(webAddress))
    .option('--source <name>', "name of the data source; part of a record's identity")
    .option('--idempotency-key <key>', 'key of this batch: sending it again adds nothing')
    .option('--strict', 'compare every dialogue with all that came in strict batches; other kinds always are', false)
    .action(async (kind: string, file: string, options: Omit<IngestOptions, 'kind' | 'file'> & { url?: string }) => {
      const { ingestCommand } = await import('./commands/ingest-command.js');
      process.exitCode = await ingestCommand({ kind, file, ...options }, Config.fromEnvironment());
    });
  program
    .command('simulate')
    .description('write a simulated population with known truth as CSV files')
    .requiredOption('--out <directory>', 'where to')
    .option('--sims <n>', 'SIMs in all: the story fleets, and roaming devices from 400 on', wholeNumber(60, 10_000_000), 2_000)
    .option('--days <n>', 'days of telemetry', wholeNumber(9, 400), 14)
    .option('--seed <n>', 'seed', wholeNumber(0, 9_999), 1)
    .option('--volume <x>', "dialogues per device against the paper's Table III (default: 0.31)", factor(10))
    .option('--incidents <list>', 'default, none, or kind:client-sims[@country][+daysBeforeEnd],… of roaming devices', 'default')
    .option('--mix <shares>', "five shares of the paper's device clusters c1 to c5, such as 43,11,23,7,16")
    .option('--clients <n>', 'clients that own the roaming devices (default: 40)', wholeNumber(1, 10_000))
    .option('--by-sim', 'write dialogues SIM by SIM, which is faster, not in the order of time', false)
    .addOption(
      new Option('--end <date>', 'UTC midnight at which the telemetry ends')
        .argParser(midnight)
        .default(midnight(DEFAULT_END), DEFAULT_END),
    )
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import('./commands/simulate.js');
      await simulate(options);
    });
  program
    .command('fit')
    .description('fit clusters and population models on days with signaling')
    .requiredOption('--from <date>', 'first UTC day', day)
    .requiredOption('--to <date>', 'last UTC day', day)
    .option('--seed <n>', 'seed', wholeNumber(0, 4_294_967_295), 1)
    .action(async (options: FitOptions) => {
      const { fitCommand } = await import('./commands/population.js');
      process.exitCode = await fitCommand(options, Config.fromEnvironment());
    });
  program
    .command('detect')
    .description('judge the population of a day now')
    .requiredOption('--day <date>', 'the UTC day', day)
    .option('--seed <n>', 'seed', wholeNumber(0, 4_294_967_295), 1)
    .option('--json', 'print what was decided as one line of JSON', false)
    .action(async (options: DetectOptions) => {
      const { detectCommand } = await import('./commands/population.js');
      process.exitCode = await detectCommand(options, Config.fromEnvironment());
    });
  program
    .command('backtest')
    .description('try a detector on past closed days: what it would have raised')
    .argument('<detector>', "the detector's id")
    .option('--client <name>', 'whose SIMs; left out for a detector of the whole population')
    .option('--fleet <name>', 'only those of a fleet')
    .option('--sim <iccid>', 'only this one')
    .requiredOption('--from <date>', 'first UTC day', day)
    .requiredOption('--to <date>', 'last UTC day', day)
    .option('--options <json>', 'options for all of them; default: as each SIM is configured')
    .option('--json', 'print what was found as one line of JSON', false)
    .action(async (detector: string, options: BacktestOptions) => {
      const { backtestCommand } = await import('./commands/backtest.js');
      process.exitCode = await backtestCommand(detector, options, Config.fromEnvironment());
    });
  program
    .command('evaluate')
    .description('measure population detectors and scopes on populations with known truth')
    .option('--data <directory>', 'CSV files with a truth.json; default: simulated populations')
    .option('--sims <n>', 'SIMs of a simulated population', wholeNumber(200, 1_000_000), 12_000)
    .option('--days <n>', 'days of it', wholeNumber(2, 62), 8)
    .option('--seeds <list>', 'a population for each seed, such as 1,2,3', seedList, [1])
    .option('--json', 'print one line of JSON', false)
    .action(async (options: EvaluateOptions) => {
      const { evaluate } = await import('./commands/evaluate.js');
      await evaluate(options);
    });
  program
    .command('score')
    .description('fit a population detector to a table of numbers and score its rows')
    .requiredOption('--detector <id>', 'isolation-forest, gaussian-mixture or tukey-fences')
    .requiredOption('--input <file>', 'CSV with a header, every column but the label a feature; - for standard input')
    .option('--label <column>', 'column that says which rows are anomalies (1), to print the area under the ROC curve')
    .option('--seed <n>', 'seed', wholeNumber(0, 4_294_967_295), 1)
    .option('--options <json>', "the detector's options")
    .option('--output <file>', 'write the score of each row there, as CSV')
    .action(async (options: ScoreOptions) => {
      const { score } = await import('./commands/score.js');
      await score(options);
    });
  program
    .command('check')
    .description("hold a detector's package against the contract, or begin a new one")
    .argument('[plugin]', 'path of the package, or its name where it is installed')
    .option('--new <folder>', 'write a package that passes; the folder names the detector')
    .option('--javascript', 'with --new: in JavaScript, without a build', false)
    .action(async (plugin: string | undefined, options: { new?: string; javascript: boolean }) => {
      if (options.new !== undefined) {
        const { newDetector } = await import('./commands/new-detector.js');
        newDetector(options.new, options.javascript ? 'javascript' : 'typescript');
        return;
      }
      if (plugin === undefined) throw new InvalidArgumentError('name a package, or begin one with --new FOLDER.');
      const { checkPlugin } = await import('./commands/check.js');
      process.exitCode = await checkPlugin(plugin, Config.fromEnvironment(), (text) => process.stdout.write(text));
    });
  program
    .command('bench')
    .description('measure one suite side by side with its peers (from a checkout)')
    .argument('[suite-and-options...]', 'a suite, then --json, --full, --repeats <n>')
    .allowUnknownOption()
    .action(async (suiteAndOptions: string[]) => {
      const { bench } = await import('./commands/bench.js');
      process.exitCode = await bench(suiteAndOptions);
    });
  program
    .command('schema')
    .description('print the GraphQL schema')
    .action(async () => {
      const [{ printableSchema }, { printSimwardenSchema }] = await Promise.all([import('./app.js'), import('./graphql/schema.js')]);
      process.stdout.write(printSimwardenSchema(await printableSchema()));
    });
  return program;
}

commandLine()
  .parseAsync()
  .catch((error: unknown) => {
    const code = error instanceof SimwardenError ? `${error.code}: ` : '';
    process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
