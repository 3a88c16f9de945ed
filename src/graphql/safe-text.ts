/** Text that both databases store unchanged: PostgreSQL refuses U+0000 and turns lone surrogates into U+FFFD, which makes two ids equal. */

/** What is wrong with a text, or null. */
export function textFault(text: string): string | null {
  if (text.includes('\0')) return 'it contains the character U+0000';
  if (!text.isWellFormed()) return 'it contains half of a surrogate pair';
  return null;
}

/** The first fault in any text inside a JSON value, keys included; also refuses nesting beyond `depth`. */
export function jsonFault(value: unknown, depth = 32): string | null {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'it contains a number that is not finite';
  if (value === null || typeof value !== 'object') return null;
  if (depth === 0) return 'it is nested too deep';
  for (const [key, inner] of Object.entries(value)) {
    const fault = textFault(key) ?? jsonFault(inner, depth - 1);
    if (fault) return fault;
  }
  return null;
}
