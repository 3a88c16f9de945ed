/** Runs one detector on what was observed and turns its answer into findings: never inside a transaction, never trusting what it says. */
import type { ColumnName, ColumnsOf, Detector, DetectorContext, DetectorInput } from '../../detector';
import { seededRandom } from '../../detector/numeric';
import { eventTime } from '../observe/calendar';
import type { ColumnValues, Observation, ObservationScope } from '../observe';
import type { Finding, Judged } from '../verdicts';
import type { ConfiguredGroup } from './configuration';
import { checkDetection, storable, type CheckedDetection } from './detection-check';
import { destinationAllowed, networkAllowed, silenceExpected, type EffectiveOptions } from './host-options';
import { countSubjects, subjectOf, verdictsOf } from './judge';
import { withinBudget } from './time-budget';
import type { LaterActivity, Streaks } from './windows';

/** Everything about one page that a detector's run needs, read beforehand. */
export interface RunMaterial {
  readonly scope: ObservationScope;
  readonly observation: Observation;
  readonly later: LaterActivity;
  /** Per kind of the detector. */
  readonly streaks: readonly Streaks[];
  readonly groups: readonly ConfiguredGroup[];
}

export interface DetectorOutcome {
  readonly detector: Detector;
  readonly rows: number;
  /** Rows on which every kind abstained. */
  readonly abstained: number;
  /** Subjects that fired, in shadow too. */
  readonly hits: number;
  /** What went wrong; null: nothing. */
  readonly failure: string | null;
  readonly findings: readonly Finding[];
  readonly judged: readonly Judged[];
}

export function failedOutcome(detector: Detector, failure: string): DetectorOutcome {
  return { detector, rows: 0, abstained: 0, hits: 0, failure, findings: [], judged: [] };
}

/** A detector that throws, or answers what it must not, fails alone: the failure is its outcome. */
export async function runDetector(detector: Detector, material: RunMaterial): Promise<DetectorOutcome> {
  try {
    const runs: GroupRun[] = [];
    for (const group of material.groups) runs.push(await runGroup(detector, material, group));
    const enabled = await verdictsOf(
      detector,
      material,
      runs.filter((run) => run.group.mode === 'ENABLED'),
    );
    const shadow = runs.filter((run) => run.group.mode === 'SHADOW');
    return {
      detector,
      rows: runs.reduce((sum, run) => sum + run.group.rows.length, 0),
      abstained: runs.reduce((sum, run) => sum + abstainedRows(detector, run), 0),
      hits: enabled.findings.length + countSubjects(detector, material, shadow),
      failure: null,
      ...enabled,
    };
  } catch (error) {
    return failedOutcome(detector, storable(error instanceof Error ? `${error.name}: ${error.message}` : String(error)));
  }
}

export interface GroupRun {
  readonly group: ConfiguredGroup;
  readonly input: DetectorInput<ColumnName>;
  readonly context: Omit<DetectorContext<Readonly<Record<string, unknown>>>, 'signal'>;
  readonly answer: CheckedDetection;
}

async function runGroup(detector: Detector, material: RunMaterial, group: ConfiguredGroup): Promise<GroupRun> {
  const input = inputOf(detector, material, group);
  const context = contextOf(detector, material.scope, group.options);
  const answer = await withinBudget((signal) => detector.detect(input, { ...context, signal }));
  return { group, input, context, answer: checkDetection(detector.meta, input.rows, answer) };
}

function contextOf(detector: Detector, scope: ObservationScope, options: EffectiveOptions): GroupRun['context'] {
  return {
    options: options.detector,
    random: seededRandom(hashOf(`${detector.meta.id} ${detector.meta.version} ${scope.clientId} ${scope.day}`)),
    now: eventTime(scope.calendar, scope.day, scope.closed),
  };
}

function inputOf(
  detector: Detector,
  { scope, observation, streaks }: RunMaterial,
  { rows, options }: ConfiguredGroup,
): DetectorInput<ColumnName> {
  const whole = rows.length === observation.rows;
  const columns: Partial<Record<ColumnName, ColumnValues>> = {};
  for (const name of detector.meta.needs) {
    const values = configuredColumn(name, scope, observation, options) ?? observation.columns.get(name);
    if (!values) throw new Error(`column ${name} was not observed`);
    columns[name] = whole ? values : gather(values, rows);
  }
  const width = detector.meta.kinds.length;
  const wasFiring = new Uint8Array(rows.length * width);
  const consecutiveWindows = new Int32Array(rows.length * width);
  rows.forEach((source, row) => {
    detector.meta.kinds.forEach((kind, index) => {
      const subjectId = subjectOf(kind, scope, observation, source);
      const streak = subjectId === null ? 0 : (streaks[index]!.get(subjectId) ?? 0);
      wasFiring[row * width + index] = streak > 0 ? 1 : 0;
      consecutiveWindows[row * width + index] = streak;
    });
  });
  return {
    rows: rows.length,
    columns: columns as ColumnsOf<ColumnName>,
    wasFiring,
    consecutiveWindows,
    previousState: new Float64Array(0),
  };
}

/** Columns that follow from the group's own configuration. */
function configuredColumn(
  name: ColumnName,
  scope: ObservationScope,
  observation: Observation,
  options: EffectiveOptions,
): ColumnValues | undefined {
  const category = (column: ColumnName) => {
    const values = observation.columns.get(column);
    if (values === undefined || values instanceof Float64Array) throw new Error(`column ${column} was not observed`);
    return values;
  };
  switch (name) {
    case 'networkAllowed':
      return networkAllowed(category('network'), options.allowedNetworks);
    case 'destinationAllowed':
      return destinationAllowed(category('destination'), options.allowedDestinations);
    case 'expectedSilence':
      return new Float64Array(observation.rows).fill(silenceExpected(options.expectedSilence, scope.day) ? 1 : 0);
    default:
      return undefined;
  }
}

function gather(values: ColumnValues, rows: Int32Array): ColumnValues {
  if (values instanceof Float64Array) return Float64Array.from(rows, (row) => values[row]!);
  return { codes: Int32Array.from(rows, (row) => values.codes[row]!), names: values.names };
}

function abstainedRows(detector: Detector, { answer, input }: GroupRun): number {
  const width = detector.meta.kinds.length;
  let rows = 0;
  for (let row = 0; row < input.rows; row++) {
    if (answer.abstained.subarray(row * width, (row + 1) * width).every((cell) => cell === 1)) rows += 1;
  }
  return rows;
}

/** FNV-1a: a seed from a text. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
