import { BlockState } from '../fleet';
import { BlockOrderState, BlockRequestState, orderStep, orderSteps, requestStep, requestSteps, simStep, simSteps } from './block-lifecycle';

const tables = [
  { name: 'SIM', states: Object.values(BlockState), steps: simSteps, step: simStep },
  { name: 'request', states: Object.values(BlockRequestState), steps: requestSteps, step: requestStep },
  { name: 'order', states: Object.values(BlockOrderState), steps: orderSteps, step: orderStep },
] as const;

describe.each(tables)('the block lifecycle of a $name', ({ states, steps, step }) => {
  const anyStep = step as (from: string, action: string) => string;

  it('takes every listed step and throws ILLEGAL_TRANSITION for every other', () => {
    for (const [action, { from, to }] of Object.entries(steps)) {
      for (const state of states) {
        if ((from as readonly string[]).includes(state)) expect(anyStep(state, action)).toBe(to);
        else expect(() => anyStep(state, action)).toThrow(expect.objectContaining({ code: 'ILLEGAL_TRANSITION' }));
      }
    }
  });

  it('reaches every state from the first', () => {
    const reached = new Set<string>([states[0]!]);
    for (let round = 0; round < states.length; round++) {
      for (const { from, to } of Object.values(steps)) if ((from as readonly string[]).some((state) => reached.has(state))) reached.add(to);
    }
    expect([...reached].sort()).toEqual([...states].sort());
  });
});

it('leaves no SIM stuck: UNBLOCKED is reachable from every state', () => {
  const back = new Set<string>([BlockState.UNBLOCKED]);
  for (let round = 0; round < 6; round++) {
    for (const { from, to } of Object.values(simSteps))
      if (back.has(to)) (from as readonly string[]).forEach((state: string) => back.add(state));
  }
  expect([...back].sort()).toEqual(Object.values(BlockState).sort());
});

it('says what is allowed instead', () => {
  expect(() => simStep(BlockState.BLOCKED, 'request')).toThrow(
    /The SIM is in state BLOCKED and can't be requested for a block\. Allowed now: .*unblocked/,
  );
});
