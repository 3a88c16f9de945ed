/** A run as a command follows it: how far it is, whom it waits for, and a signal that stops both. */
import type { Door } from './door';
import { ended, followRun, type Run } from './population';

const begun: Run = {
  id: 'run',
  state: 'WAITING',
  phase: 'WAITING',
  rowsDone: 0,
  rowsTotal: 0,
  modelsDone: 0,
  modelsTotal: 0,
  result: null,
  warnings: [],
  error: null,
};

let written: jest.SpyInstance;
beforeEach(() => {
  written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => written.mockRestore());
const lines = () => written.mock.calls.map(([text]) => String(text));

/** What each look finds: whether the command's own work goes on, and the run. */
function doorTo(looks: readonly (readonly [works: boolean, run: Partial<Run>])[]): Door {
  let look = -1;
  return {
    works: true,
    wait: () => Promise.resolve(looks[++look]![0]),
    ask: <Data>() => Promise.resolve({ populationRun: { ...begun, ...looks[look]![1] } } as Data),
    close: () => Promise.resolve(),
  };
}

test('a run shows for whom it waits, then how many models are fitted, then how many SIMs are judged', async () => {
  const fitting = { state: 'RUNNING', phase: 'FIT', modelsTotal: 9 } as const;
  const scoring = { state: 'RUNNING', phase: 'SCORE', rowsTotal: 1000 } as const;
  const run = await followRun(
    doorTo([
      [true, {}],
      [false, {}],
      [true, { ...fitting, modelsDone: 1 }],
      [true, { ...fitting, modelsDone: 6 }],
      [true, { ...scoring, rowsDone: 10 }],
      [true, { ...scoring, rowsDone: 990 }],
      [true, { ...scoring, state: 'SUCCEEDED', phase: 'DONE', rowsDone: 1000 }],
    ]),
    'detect',
    begun,
  );
  expect(lines()).toEqual([
    'detect: 0 % · WAITING for what is due before it\n',
    'detect: 0 % · another process is at a population run\n',
    'detect: 11 % · FIT\n',
    'detect: 66 % · FIT\n',
    'detect: 1 % · SCORE\n',
    'detect: 99 % · SCORE\n',
    'detect: 100 % · DONE\n',
  ]);
  expect(ended(run)).toBe(0);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops a run that the command works on, which says how it goes on and ends with %i', async (signal, code) => {
  const door: Door = { ...doorTo([]), wait: () => new Promise(() => undefined) };
  const followed = followRun(door, 'fit', begun);
  process.emit(signal, signal);
  expect(ended(await followed)).toBe(code);
  expect(lines().at(-1)).toMatch(/goes on where it stopped/);
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
});
