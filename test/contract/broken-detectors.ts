/** Detectors that are wrong in exactly one way each: the proof that every check of the conformance kit bites. */
import { defineDetector, type Detection, type Detector, type DetectorInput, type Kind } from 'simwarden/detector';
import { contractClauses, quietSimDay, syntheticUsage, type CheckOptions } from 'simwarden/detector/testing';

const kind: Kind = { id: 'TOO_MUCH', title: 'Too much data', severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' };

type Columns = 'dayBytes' | 'baselineDayBytes';
type Input = DetectorInput<Columns>;
type Judge = (input: Input, random: () => number) => Detection;

/** The healthy detector that every specimen below is a broken copy of. */
export const healthy = specimen(judgeWell);

const readme = ['What it finds', 'How', 'Options', 'Evidence', 'Limits', 'When not to use it', 'Reference']
  .map((heading) => `## ${heading}\n\n\`TOO_MUCH\` and so on.\n\n| \`multiple\` | × | \`3\` | the border |\n`)
  .join('\n');

export const fleets: CheckOptions = {
  readme,
  quiet: [{ name: 'quiet fleet', rows: syntheticUsage({ sims: 500, seed: 1 }) }],
  anomalous: [
    {
      name: 'stolen SIM',
      kind: 'TOO_MUCH',
      planted: [1],
      rows: [quietSimDay, { ...quietSimDay, dayBytes: 9e8 }, { ...quietSimDay, dayBytes: 5e6 }],
    },
  ],
};

export interface Specimen {
  readonly wrong: string;
  readonly detector: Detector<never, never>;
  /** The demand that it doesn't meet. */
  readonly clause: string;
  /** The one check that must catch it. */
  readonly caughtBy: string;
  readonly fleets?: Partial<CheckOptions>;
}

let calls = 0;
let lastModel: Uint8Array | undefined;

export const specimens: readonly Specimen[] = [
  broken('an id in capitals', 'meta-valid', withMeta({ id: 'Too_Much' })),
  broken('a contract of the future', 'meta-valid', withMeta({ contract: 2 as never })),
  broken('an escalated severity below its severity', 'meta-valid', withMeta({ kinds: [{ ...kind, escalated: 'INFO' }] })),
  broken(
    'an option that would change what all objects inherit',
    'options-valid',
    withMeta({
      options: JSON.parse(
        '{"type":"object","additionalProperties":false,"properties":{"__proto__":{"type":"number","default":3,"description":"()"}}}',
      ) as never,
    }),
    { readme: `${readme}\n| \`__proto__\` | × | \`3\` | |\n` },
  ),
  broken('a title over two lines', 'meta-valid', withMeta({ kinds: [{ ...kind, title: 'Too\nmuch' }] })),
  broken(
    'a pattern that a hostile text keeps busy for ever',
    'options-valid',
    withOption({ type: 'string', default: 'a', pattern: '^(a+)+$', description: '()' }),
    {
      readme: readme.replaceAll('`3`', '`"a"`'),
    },
  ),
  broken('an option without description', 'options-valid', withOption({ type: 'number', default: 3, description: '' })),
  broken(
    'a list option that does not say of what',
    'options-valid',
    withOption({ type: 'array', default: [], description: 'Which (names).' }),
    { readme: readme.replaceAll('`3`', '`[]`') },
  ),
  broken('a column that does not exist', 'needs-known', withMeta({ needs: ['dayBytes', 'baselineDayBytes', 'moonPhase' as never] })),
  broken(
    'a column that is read and not declared',
    'needs-known',
    specimen((input) => {
      const { weekBytes } = input.columns as Partial<Record<string, Float64Array>>;
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score, row) => score + (weekBytes?.[row] ?? 0)) };
    }),
  ),
  broken(
    'an error on every input',
    'MUST-04',
    specimen(() => {
      throw new RangeError('no luck');
    }),
  ),
  broken('a column of another input', 'needs-known', withMeta({ needs: ['dayBytes', 'baselineDayBytes', 'eventCount' as never] })),
  broken(
    'more scores than rows',
    'MUST-04',
    specimen((input) => {
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: input.rows === 0 ? scores : Float64Array.of(...scores, 0) };
    }),
  ),
  broken(
    'fires beyond 2',
    'MUST-05',
    specimen((input) => {
      const { fires, ...rest } = judgeWell(input);
      return { ...rest, fires: fires!.map((level) => 3 * level) };
    }),
  ),
  broken(
    'escalation that no kind declares',
    'MUST-05',
    specimen((input) => {
      const { fires, ...rest } = judgeWell(input);
      return { ...rest, fires: fires!.map((level) => 2 * level) };
    }),
  ),
  broken(
    'abstaining without a reason',
    'MUST-06',
    specimen((input) => {
      const detection = judgeWell(input);
      const row = input.columns.dayBytes.indexOf(5e6);
      if (row < 0) return detection;
      detection.scores[row] = NaN;
      return { ...detection, abstained: [...detection.abstained!, { row, reason: ' ' }] };
    }),
  ),
  broken(
    'abstaining on a row that there is not',
    'MUST-06',
    specimen((input) => {
      const detection = judgeWell(input);
      return input.rows === 3 ? { ...detection, abstained: [...detection.abstained!, { row: 3, reason: 'no such row' }] } : detection;
    }),
  ),
  broken(
    'state of another width than declared',
    'MUST-04',
    specimen((input) => ({ ...judgeWell(input), state: new Float64Array(input.rows) })),
  ),
  broken(
    'a score of a row on which it abstains',
    'scores-finite',
    specimen((input) => {
      const detection = judgeWell(input);
      const row = input.columns.dayBytes.indexOf(5e6);
      return row < 0 ? detection : { ...detection, abstained: [...detection.abstained!, { row, reason: 'not sure' }] };
    }),
  ),
  broken(
    'firing on a row on which it abstains',
    'scores-finite',
    specimen((input) => {
      const detection = judgeWell(input);
      const row = input.columns.dayBytes.indexOf(5e6);
      if (row < 0) return detection;
      detection.scores[row] = NaN;
      detection.fires![row] = 1;
      return { ...detection, abstained: [...detection.abstained!, { row, reason: 'not sure' }] };
    }),
  ),
  broken(
    'an infinite score',
    'scores-finite',
    specimen((input) => {
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score) => (score > 20 ? Infinity : score)) };
    }),
  ),
  broken(
    'throwing on no rows',
    'empty-input',
    specimen((input) => {
      if (input.rows === 0) throw new RangeError('nothing to do');
      return judgeWell(input);
    }),
  ),
  broken(
    'throwing on an unknown usage',
    'missing-values',
    specimen((input) => {
      if (input.columns.dayBytes.some(Number.isNaN)) throw new TypeError('expected bytes');
      return judgeWell(input);
    }),
  ),
  broken(
    'firing on an unknown usage',
    'missing-values',
    specimen((input) => {
      const detection = judgeWell(input);
      input.columns.dayBytes.forEach((bytes, row) => {
        if (!Number.isNaN(bytes)) return;
        detection.fires![row] = 1;
        detection.scores[row] = 1;
      });
      return { ...detection, abstained: detection.abstained!.filter(({ row }) => !Number.isNaN(input.columns.dayBytes[row]!)) };
    }),
  ),
  broken(
    'calling a SIM healthy of whose family nothing is known',
    'abstains-without-history',
    specimen((input) => {
      const { scores, fires } = judgeWell(input);
      return { scores: scores.map((score) => (Number.isNaN(score) ? 0 : score)), fires };
    }),
  ),
  broken(
    'sorting its input in place',
    'pure',
    specimen((input) => {
      const detection = judgeWell(input);
      input.columns.dayBytes.sort();
      return detection;
    }),
  ),
  broken(
    'renaming what was firing',
    'pure',
    specimen((input) => {
      const detection = judgeWell(input);
      input.wasFiring.fill(1);
      return detection;
    }),
  ),
  broken(
    'remembering how often it was called',
    'stateless',
    specimen((input) => {
      calls += 1;
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score) => score + calls / 1000) };
    }),
  ),
  broken(
    'rolling its own dice',
    'seeded',
    specimen((input) => {
      const { scores, ...rest } = judgeWell(input);
      const luck = Math.random() / 1000;
      return { ...rest, scores: scores.map((score) => score + luck) };
    }),
  ),
  broken(
    'looking at the clock',
    'seeded',
    specimen((input) => {
      const { scores, ...rest } = judgeWell(input);
      const hour = new Date().getUTCHours();
      return { ...rest, scores: scores.map((score) => score + hour / 1000) };
    }),
  ),
  broken(
    'judging a SIM by its neighbour',
    'order-free',
    specimen((input) => {
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score, row) => score + (input.columns.dayBytes[row - 1]! > 1e7 ? 0.01 : 0)) };
    }),
  ),
  broken(
    'spending random numbers row by row',
    'order-free',
    specimen((input, random) => {
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score) => score + random() / 1000) };
    }),
  ),
  broken(
    'a model that only its own process understands',
    'model-survives-bytes',
    // Looks its model up by where it lies, as a WeakMap from bytes to a parsed model would.
    learning({ trust: (model) => (model.byteOffset === lastModel!.byteOffset ? 0 : 0.5) }),
  ),
  broken(
    'a model that comes out by luck',
    'model-survives-bytes',
    learning({ learn: () => Uint8Array.of(1, 2, Math.floor(1 + 255 * Math.random())) }),
  ),
  broken(
    'finding nothing',
    'finds-anomalies',
    specimen((input) => ({ ...judgeWell(input), fires: new Uint8Array(input.rows) })),
  ),
  broken(
    'alarming about everyone above the median',
    'quiet-fleet',
    specimen((input) => judge(input, 1)),
  ),
  broken('no explanation', 'evidence-declared', { ...healthy, explain: undefined }),
  broken('a unit of its own', 'evidence-declared', explaining({ unit: 'megabytes' })),
  broken('weights that sum to two', 'evidence-declared', explaining({ weight: 2 })),
  broken('evidence from a column that it did not declare', 'evidence-declared', explaining({ column: 'weekBytes' })),
  broken('weights of a ranking that sum to two', 'evidence-declared', ranking(explaining({ weight: 2 }))),
  broken('an ICCID in its words', 'evidence-declared', explaining({ text: 'SIM 8988303000012345678 is heavy' })),
  broken('an amount that is no number', 'evidence-declared', explaining({ observed: NaN })),
  broken(
    'comparing every SIM with every other',
    'time-budget',
    specimen((input) => {
      let heavier = 0;
      const { dayBytes } = input.columns;
      for (let row = 0; row < input.rows; row++)
        for (let other = 0; other < input.rows; other++) heavier += dayBytes[other]! > dayBytes[row]! ? 1 : 0;
      return heavier >= 0 ? judgeWell(input) : { scores: new Float64Array(0) };
    }),
  ),
  broken('a README without limits', 'readme-complete', healthy, { readme: readme.replace('## Limits', '## Praise') }),
  broken('a README that gives another default', 'readme-complete', healthy, { readme: readme.replaceAll('`3`', '`4`') }),
];

function specimen(judgeRows: Judge): Detector<Columns, { readonly multiple: number }> {
  return defineDetector({
    meta: {
      id: 'specimen',
      version: '1.0.0',
      contract: 1,
      title: 'Specimen',
      summary: 'Three times the baseline.',
      limits: 'For tests.',
      input: 'usage',
      needs: ['dayBytes', 'baselineDayBytes'],
      kinds: [kind],
      decides: 'itself',
      scope: 'client',
      options: {
        type: 'object',
        additionalProperties: false,
        properties: { multiple: { type: 'number', default: 3, description: 'The border (×).' } },
      },
    },
    detect: (input, { random }) => judgeRows(input, random),
    explain: (input, rows) =>
      rows.map(({ row }) => [
        {
          column: 'dayBytes',
          observed: input.columns.dayBytes[row]!,
          expected: input.columns.baselineDayBytes[row]!,
          unit: 'bytes',
          weight: 1,
          text: 'too much today',
        },
      ]),
  });
}

/** The healthy detector with a model of three bytes, 1, 2 and another that is not 0. */
function learning({
  learn = () => Uint8Array.of(1, 2, 3),
  trust = () => 0,
}: {
  learn?: () => Uint8Array;
  /** Added to every score. */
  trust?: (model: Uint8Array) => number;
}): Detector<Columns, never> {
  return {
    ...healthy,
    fit: () => (lastModel = learn()),
    detect(input: Input, { model }: { readonly model?: Uint8Array }) {
      if (model?.length !== 3 || model[0] !== 1) throw new Error('expected a model of three bytes');
      const { scores, ...rest } = judgeWell(input);
      return { ...rest, scores: scores.map((score) => score + trust(model)) };
    },
  };
}

/** The same, leaving it to the host what is flagged. */
function ranking(detector: Detector<Columns, never>): Detector<Columns, never> {
  return { ...detector, meta: { ...detector.meta, decides: 'by-rank' } };
}

function judgeWell(input: Input): Detection {
  return judge(input, 3);
}

function judge(input: Input, multiple: number): Detection & { abstained: NonNullable<Detection['abstained']>[number][] } {
  const scores = new Float64Array(input.rows);
  const fires = new Uint8Array(input.rows);
  const abstained: NonNullable<Detection['abstained']>[number][] = [];
  for (let row = 0; row < input.rows; row++) {
    scores[row] = input.columns.dayBytes[row]! / input.columns.baselineDayBytes[row]!;
    if (Number.isNaN(scores[row]!)) abstained.push({ row, reason: 'no baseline' });
    else fires[row] = scores[row]! > multiple ? 1 : 0;
  }
  return { scores, fires, abstained };
}

function withMeta(change: Partial<Detector<Columns>['meta']>): Detector<Columns, never> {
  return { ...healthy, meta: { ...healthy.meta, ...change } };
}

function withOption(option: Detector['meta']['options']['properties'][string]): Detector<Columns, never> {
  return withMeta({ options: { type: 'object', additionalProperties: false, properties: { multiple: option } } });
}

function explaining(change: object): Detector<Columns, never> {
  const good = { column: 'dayBytes', observed: 1, expected: 2, unit: 'bytes', weight: 1, text: 'too much today' };
  return { ...healthy, explain: (_: Input, rows: readonly unknown[]) => rows.map(() => [{ ...good, ...change }]) };
}

/** `by`: the check that must catch it, or, where that executes several, the clause. */
function broken(
  wrong: string,
  by: string,
  detector: Detector<Columns, never> | Detector<Columns, { readonly multiple: number }>,
  changed?: Partial<CheckOptions>,
): Specimen {
  const clauses = contractClauses.filter(({ id, check }) => id === by || check === by);
  if (clauses.length !== 1) throw new Error(`${wrong}: ${by} is ${clauses.length} clauses; name one`);
  const { id: clause, check } = clauses[0]!;
  return { wrong, clause, caughtBy: check!, detector: detector as unknown as Detector<never, never>, fleets: changed };
}
