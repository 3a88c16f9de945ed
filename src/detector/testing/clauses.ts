/** The contract in the words of a specification: every MUST names the check that executes it, every MAY is a liberty that the checks leave. */

export interface Clause {
  /** Never reused for another demand. */
  readonly id: `MUST-${string}` | `MAY-${string}`;
  readonly text: string;
  /** Id of the check that executes a MUST. `fenced` is that of `simwarden check`, which needs a process of its own. */
  readonly check?: string;
}

export const contractClauses: readonly Clause[] = [
  must(
    '01',
    'meta-valid',
    'Its `meta` MUST give an id, a semantic version, contract 1, title, summary and limits as texts of one line, and at least one kind whose id, subject, window and severity the contract knows.',
  ),
  must(
    '02',
    'options-valid',
    'Every option MUST have a type, a description with its unit, and a default that its own schema accepts; a pattern MUST NOT be able to take for ever.',
  ),
  must(
    '03',
    'needs-known',
    '`needs` MUST name columns of the catalogue, each once, all of the declared input. It MUST NOT read another column.',
  ),
  must('04', 'output-shape', 'Scores MUST be a Float64Array of rows × kinds, row by row; state a Float64Array of rows × stateWidth.'),
  must(
    '05',
    'output-shape',
    'A detector that decides itself MUST say `fires` for every row and kind: 0, 1, or 2 only where the kind declares an escalated severity.',
  ),
  must('06', 'output-shape', 'An abstention MUST name a row of the input and give a reason in words.'),
  must('07', 'scores-finite', 'A score MUST be a finite number, or NaN exactly where the row abstained; what abstains MUST NOT fire.'),
  must('08', 'empty-input', 'It MUST answer an input without rows with no scores.'),
  must('09', 'missing-values', 'It MUST NOT throw or fire where values are missing (NaN, or code −1).'),
  must('10', 'abstains-without-history', 'Where the past that it compares with is missing, it MUST abstain.'),
  must('11', 'pure', 'It MUST NOT change its input.'),
  must('12', 'stateless', 'It MUST NOT remember anything from one call to the next.'),
  must(
    '13',
    'seeded',
    'The same input, options, model and seed MUST give the same answer: `context.random` and `context.now`, never Math.random or the clock.',
  ),
  must('14', 'order-free', 'Another order of SIMs MUST NOT change a verdict.'),
  must(
    '15',
    'model-survives-bytes',
    'A model MUST be its bytes: the same rows and seed give the same bytes, and the same bytes the same scores, wherever they lie.',
  ),
  must(
    '16',
    'finds-anomalies',
    'It MUST find the planted anomalies of the shapes that it claims: at least the floor of each shape, and every one that was written by hand.',
  ),
  must('17', 'quiet-fleet', 'On quiet fleets it MUST NOT raise more than 1 false alarm per 1,000 SIM-days.'),
  must(
    '18',
    'evidence-declared',
    'It MUST explain what it fires: declared columns, known units, weights that sum to at most 1, and words without identifiers.',
  ),
  must('19', 'time-budget', 'It MUST spend at most 10 µs of processor time per row.'),
  must('20', 'readme-complete', 'Its README MUST have the seven headings in order and name every kind, option and default.'),
  must(
    '21',
    'fenced',
    'It MUST give the same answer behind the fence: no file but its own package and the dependencies that it declares, no environment, no process, no thread, within 2 s and 10 µs per row.',
  ),
  may('01', 'It MAY answer with a promise.'),
  may('02', 'It MAY abstain on one kind of a row and judge the others.'),
  may('03', 'It MAY fire 2 where its kind declares an escalated severity.'),
  may('04', 'It MAY learn a model with `fit` and read it in `detect`.'),
  may('05', "It MAY draw from `context.random`, as long as a row does not get its neighbour's luck."),
  may('06', 'It MAY keep firing until a lower border is passed (hysteresis), by `wasFiring` of its input.'),
  may('07', "It MAY leave what it can't pass yet to `expectedFailures`, with the reason."),
];

/** The clauses that a check executes: `MUST-04, MUST-05`. */
export function clausesOf(checkId: string): string {
  return contractClauses
    .filter(({ check }) => check === checkId)
    .map(({ id }) => id)
    .join(', ');
}

function must(number: string, check: string, text: string): Clause {
  return { id: `MUST-${number}`, check, text };
}

function may(number: string, text: string): Clause {
  return { id: `MAY-${number}`, text };
}
