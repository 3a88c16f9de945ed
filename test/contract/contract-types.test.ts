/** What the compiler promises to authors. The type checker runs over this file: an expected error that is none fails it. */
import { defineDetector, type Kind } from 'simwarden/detector';

const kind: Kind = { id: 'HIGH', title: 'High', severity: 'INFO', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' };

const typed = defineDetector({
  meta: {
    id: 'typed',
    version: '1.0.0',
    contract: 1,
    title: 'Typed',
    summary: 'For the compiler.',
    limits: 'None.',
    input: 'usage',
    needs: ['dayBytes'],
    kinds: [kind],
    decides: 'itself',
    scope: 'client',
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        multiple: { type: 'number', default: 3, description: '(×)' },
        mode: { type: 'string', default: 'strict', enum: ['strict', 'lax'], description: '()' },
        networks: { type: 'array', default: [], items: { type: 'string' }, description: '()' },
      },
    },
  },
  detect(input, { options }) {
    const bytes: Float64Array = input.columns.dayBytes;
    const multiple: number = options.multiple;
    const mode: 'strict' | 'lax' = options.mode;
    const networks: readonly string[] = options.networks;
    // @ts-expect-error a column that needs does not name
    void input.columns.weekBytes;
    // @ts-expect-error an option that the schema does not have
    void options.multipel;
    return { scores: bytes.map((value) => value * multiple * networks.length), fires: new Uint8Array(mode === 'strict' ? 0 : 1) };
  },
});

describe('types of a detector', () => {
  it('are inferred without changing the detector at run time', () => {
    expect(typed.meta.needs).toEqual(['dayBytes']);
    expect(Object.keys(typed)).toEqual(['meta', 'detect']);
  });
});
