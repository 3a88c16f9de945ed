/** Checks a detector's options against its schema and fills in the defaults; the messages are meant for the person who configures it. */
import type { OptionSchema, OptionsSchema } from './contract';

/** Patterns are tried on it: a bound on the text is a bound on the time. */
const LONGEST_TEXT = 1000;

export type OptionsAnswer =
  | { readonly options: Readonly<Record<string, unknown>>; readonly errors?: undefined }
  | { readonly errors: readonly string[]; readonly options?: undefined };

/** `given` is what somebody configured (plain JSON); nothing given means all defaults. */
export function validateOptions(schema: OptionsSchema, given: unknown): OptionsAnswer {
  if (given !== undefined && given !== null && (typeof given !== 'object' || Array.isArray(given))) {
    return { errors: [`expected an object of options, got ${shown(given)}`] };
  }
  const values = (given ?? {}) as Record<string, unknown>;
  const names = Object.keys(schema.properties);
  const errors = Object.keys(values)
    .filter((name) => !Object.hasOwn(schema.properties, name))
    .map(
      (name) => `${name}: there is no such option; ${names.length > 0 ? `the options are ${names.join(', ')}` : 'this detector has none'}`,
    );
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(schema.properties)) {
    const value = Object.hasOwn(values, name) && values[name] !== undefined ? values[name] : option.default;
    const mistake = optionMistake(option, value);
    if (mistake !== undefined) errors.push(`${name}: ${mistake}`);
    options[name] = Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value;
  }
  return errors.length > 0 ? { errors } : { options: Object.freeze(options) };
}

/** What is wrong with a value, or undefined. Shared with the kit, which holds every default against its own schema. */
export function optionMistake(option: OptionSchema, value: unknown): string | undefined {
  if (option.type === 'array') return arrayMistake(option, value);
  const typeMistake = scalarMistake(option.type, value);
  if (typeMistake !== undefined) return typeMistake;
  if (option.enum !== undefined && !option.enum.includes(value as string | number)) {
    return `expected one of ${option.enum.map(shown).join(', ')}, got ${shown(value)}`;
  }
  if (typeof value === 'number') return rangeMistake(option, value);
  if (typeof value === 'string') return patternMistake(option.pattern, value);
  return undefined;
}

function arrayMistake(option: OptionSchema, value: unknown): string | undefined {
  if (!Array.isArray(value)) return `expected a list, got ${shown(value)}`;
  if (option.maxItems !== undefined && value.length > option.maxItems) {
    return `expected at most ${option.maxItems} entries, got ${value.length}`;
  }
  for (const [index, item] of value.entries()) {
    const mistake =
      option.items === undefined
        ? undefined
        : (scalarMistake(option.items.type, item) ?? (typeof item === 'string' ? patternMistake(option.items.pattern, item) : undefined));
    if (mistake !== undefined) return `entry ${index + 1}: ${mistake}`;
  }
  return undefined;
}

function scalarMistake(type: string, value: unknown): string | undefined {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : `expected a whole number, got ${shown(value)}`;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : `expected a number, got ${shown(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected true or false, got ${shown(value)}`;
    case 'string':
      return typeof value === 'string' ? undefined : `expected text, got ${shown(value)}`;
    default:
      return `the schema names the type ${type}, which does not exist`;
  }
}

function rangeMistake(option: OptionSchema, value: number): string | undefined {
  const { minimum = -Infinity, maximum = Infinity } = option;
  if (value >= minimum && value <= maximum) return undefined;
  if (maximum === Infinity) return `expected at least ${minimum}, got ${value}`;
  if (minimum === -Infinity) return `expected at most ${maximum}, got ${value}`;
  return `expected ${minimum} to ${maximum}, got ${value}`;
}

function patternMistake(pattern: string | undefined, value: string): string | undefined {
  if (value.length > LONGEST_TEXT) return `expected text of at most ${LONGEST_TEXT} characters, got ${value.length}`;
  return pattern === undefined || new RegExp(pattern, 'u').test(value)
    ? undefined
    : `expected text that matches ${pattern}, got ${shown(value)}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'number' || value === undefined ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
