import type { OptionsSchema } from './contract';
import { validateOptions } from './options';

const schema: OptionsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    multiple: { type: 'number', default: 3, minimum: 1.1, maximum: 100, description: 'How many times (×).' },
    days: { type: 'integer', default: 2, minimum: 1, description: 'How long (days).' },
    mode: { type: 'string', default: 'strict', enum: ['strict', 'lax'], description: 'How strict.' },
    quiet: { type: 'boolean', default: false, description: 'Whether to be quiet.' },
    networks: {
      type: 'array',
      default: [],
      maxItems: 2,
      items: { type: 'string', pattern: '^\\d{3}(-\\d{2,3})?$' },
      description: 'Networks.',
    },
  },
};

const errorsOf = (given: unknown) => validateOptions(schema, given).errors;

describe('options of a detector', () => {
  it('have their defaults where nothing is given', () => {
    const defaults = { multiple: 3, days: 2, mode: 'strict', quiet: false, networks: [] };
    expect(validateOptions(schema, undefined)).toEqual({ options: defaults });
    expect(validateOptions(schema, null)).toEqual({ options: defaults });
    expect(validateOptions(schema, { days: 5 })).toEqual({ options: { ...defaults, days: 5 } });
  });

  it.each([
    [{ multiple: '3' }, 'multiple: expected a number, got "3"'],
    [{ multiple: NaN }, 'multiple: expected a number, got NaN'],
    [{ multiple: 0 }, 'multiple: expected 1.1 to 100, got 0'],
    [{ days: 0 }, 'days: expected at least 1, got 0'],
    [{ days: 1.5 }, 'days: expected a whole number, got 1.5'],
    [{ mode: 'loose' }, 'mode: expected one of "strict", "lax", got "loose"'],
    [{ quiet: 1 }, 'quiet: expected true or false, got 1'],
    [{ networks: '214-07' }, 'networks: expected a list, got "214-07"'],
    [{ networks: ['214-07', 21407] }, 'networks: entry 2: expected text, got 21407'],
    [{ networks: ['spain'] }, 'networks: entry 1: expected text that matches ^\\d{3}(-\\d{2,3})?$, got "spain"'],
    [{ networks: ['1', '2', '3'] }, 'networks: expected at most 2 entries, got 3'],
    [{ multiple: null }, 'multiple: expected a number, got null'],
    [{ multipel: 3 }, 'multipel: there is no such option; the options are multiple, days, mode, quiet, networks'],
    [[], 'expected an object of options, got []'],
    ['multiple=3', 'expected an object of options, got "multiple=3"'],
  ])('refuse %j and say why', (given, message) => {
    expect(errorsOf(given)).toEqual([message]);
  });

  it('tell all mistakes at once', () => {
    expect(errorsOf({ multiple: 0, days: 'two' })).toHaveLength(2);
  });

  it('do not take an inherited property for an option', () => {
    expect(errorsOf(JSON.parse('{"__proto__": 1}'))).toEqual([
      '__proto__: there is no such option; the options are multiple, days, mode, quiet, networks',
    ]);
    expect(errorsOf({ constructor: 1 })).toHaveLength(1);
  });

  it('can not be changed by the detector that gets them', () => {
    const { options } = validateOptions(schema, { networks: ['214'] });
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(options!.networks)).toBe(true);
  });
});
