import type { OptionSchema } from '../../contract';
import { optionMistake } from '../../options';
import type { Check } from './check';

export const optionsValid: Check = {
  id: 'options-valid',
  title: 'every option has a known type, a description and a default that its own schema accepts',
  dataFree: true,
  run({ detector: { meta } }) {
    const schema = meta.options;
    if (schema?.type !== 'object' || schema.additionalProperties !== false || typeof schema.properties !== 'object') {
      return ['meta.options: expected { type: "object", additionalProperties: false, properties: { … } }'];
    }
    return Object.entries(schema.properties).flatMap(([name, option]) => mistakesOf(option).map((mistake) => `option ${name}: ${mistake}`));
  },
};

function mistakesOf(option: OptionSchema): string[] {
  const mistakes: string[] = [];
  if (!option.description?.trim()) mistakes.push('expected a description with its unit');
  for (const pattern of [option.pattern, option.items?.pattern]) {
    if (pattern === undefined) continue;
    if (!compiles(pattern)) return [...mistakes, `the pattern ${pattern} is not a regular expression`];
    if (mayTakeForever(pattern))
      return [...mistakes, `the pattern ${pattern} may take for ever: repeat no group, refer to none, and use at most two of * + {n,}`];
  }
  if ((option.minimum ?? -Infinity) > (option.maximum ?? Infinity))
    mistakes.push(`minimum ${option.minimum} is above maximum ${option.maximum}`);
  if (option.type === 'array' && option.items === undefined) mistakes.push('a list needs items');
  if (option.default === undefined) return [...mistakes, 'expected a default'];
  const mistake = optionMistake(option, option.default);
  return mistake === undefined ? mistakes : [...mistakes, `its default: ${mistake}`];
}

/** The host tries the pattern on what strangers type: nested repetition would stop it (catastrophic backtracking). */
function mayTakeForever(pattern: string): boolean {
  const plain = pattern.replace(/\\./g, (escaped) => (/\d|k/.test(escaped[1]!) ? escaped : 'x')).replace(/\[[^\]]*\]/g, 'x');
  return /\)[*+{]/.test(plain) || /\\[1-9k]/.test(plain) || (plain.match(/[*+]|\{\d+,\}/g) ?? []).length > 2;
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
