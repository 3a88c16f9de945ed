/** `simwarden score`: any table of numbers through any population detector, to compare it with others on data of one's own. */
import { once } from 'node:events';
import { constants, createWriteStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { populationDetectors } from '../app';
import { featureInput, validateOptions, type Detector, type DetectorContext } from '../detector';
import { seededRandom } from '../detector/numeric';
import { SimwardenError } from '../errors';
import { openBody } from './ingest';
import { startProgress } from './progress';
import { areaUnderRoc, countKinds } from './score/roc';
import { readTable, type Table } from './score/table';

export interface ScoreOptions {
  readonly detector: string;
  /** Path of a CSV file with a header, or `-` for standard input. */
  readonly input: string;
  /** Column that says what is an anomaly (1) and what is not (0). */
  readonly label?: string;
  readonly seed: number;
  /** The detector's options as JSON. */
  readonly options?: string;
  /** Where the score of each row goes, as CSV. */
  readonly output?: string;
}

export async function score(options: ScoreOptions): Promise<void> {
  const detector = detectorOf(options.detector);
  const settings = settingsOf(detector, options.options);
  if (options.output !== undefined) await checkWritable(options.output);
  const table = await read(options);
  if (table.labels !== null) countKinds(table.labels);
  const scores = await scoresOf(detector, table, settings, options.seed);
  if (options.output !== undefined) await write(options.output, scores);
  const unknown = scores.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
  if (unknown > 0) process.stderr.write(`${unknown} of ${table.rows} rows have no known value: they get no score, and rank last\n`);
  process.stdout.write(
    table.labels === null
      ? `scored ${table.rows} rows of ${table.names.length} columns\n`
      : `auroc ${areaUnderRoc(scores, table.labels).toFixed(4)}\n`,
  );
}

function detectorOf(id: string): Detector {
  const detector = populationDetectors.find(({ meta }) => meta.id === id);
  if (detector === undefined || detector.meta.anyColumns !== true) {
    const known = populationDetectors.filter(({ meta }) => meta.anyColumns === true).map(({ meta }) => meta.id);
    throw new SimwardenError('UNKNOWN_DETECTOR', { given: id, known: known.join(', ') });
  }
  return detector;
}

function settingsOf({ meta }: Detector, json: string | undefined): Readonly<Record<string, unknown>> {
  const refused = (what: string) => new SimwardenError('OPTIONS_INVALID', { detector: meta.id, what });
  let given: unknown;
  try {
    given = json === undefined ? undefined : JSON.parse(json);
  } catch {
    throw refused(`expected JSON such as {"${Object.keys(meta.options.properties)[0] ?? 'name'}": …}, got ${json}`);
  }
  const answer = validateOptions(meta.options, given);
  if (answer.errors !== undefined) throw refused(answer.errors.join('; '));
  return answer.options;
}

async function read({ input, label }: ScoreOptions): Promise<Table> {
  const body = await openBody(input);
  const progress = startProgress(`read ${input}`, body.size, 'bytes');
  try {
    return await readTable(input, body.stream, label, (bytes) => progress.update(bytes));
  } finally {
    progress.stop();
  }
}

/** Fitted on the table and scored on it, as unsupervised detectors are compared. */
async function scoresOf(detector: Detector, table: Table, options: Readonly<Record<string, unknown>>, seed: number): Promise<Float64Array> {
  const input = featureInput(table, detector.meta.kinds);
  const context = (): DetectorContext<Readonly<Record<string, unknown>>> => ({
    options,
    random: seededRandom(seed),
    now: 0,
    signal: new AbortController().signal,
  });
  const model = await detector.fit?.(input, context());
  const { scores } = await detector.detect(input, { ...context(), model });
  return scores;
}

/** Before the work rather than after it. */
async function checkWritable(file: string): Promise<void> {
  try {
    const existing = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    });
    if (existing?.isDirectory()) throw new Error('it is a directory');
    await access(existing === null ? dirname(resolve(file)) : file, constants.W_OK);
  } catch (error) {
    throw new SimwardenError('FILE_UNWRITABLE', { file, what: (error as Error).message });
  }
}

async function write(file: string, scores: Float64Array): Promise<void> {
  const stream = createWriteStream(file);
  try {
    stream.write('row,score\n');
    for (let row = 0; row < scores.length; row++) {
      const free = stream.write(`${row + 1},${Number.isNaN(scores[row]!) ? '' : scores[row]}\n`);
      if (!free) await once(stream, 'drain');
    }
    stream.end();
    await finished(stream);
  } catch (error) {
    throw new SimwardenError('FILE_UNWRITABLE', { file, what: (error as Error).message });
  }
}
