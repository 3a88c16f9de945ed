/** Amounts in words for evidence: the same number reads the same in every alert, whoever wrote the detector. */

const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, as tariffs use them: 412000000 → "412 MB". */
export function bytesInWords(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  let size = Math.abs(bytes);
  let unit = 0;
  while (unit < byteUnits.length - 1 && Number(size.toPrecision(3)) >= 1000) {
    size /= 1000;
    unit += 1;
  }
  return `${bytes < 0 ? '-' : ''}${shortNumber(size)} ${byteUnits[unit]}`;
}

/** 3.24 → "3.2 ×". */
export function multipleInWords(multiple: number): string {
  return Number.isFinite(multiple) ? `${multiple < 10 ? trimmed(multiple.toFixed(1)) : grouped(multiple)} ×` : 'unknown';
}

/** 86.4 → "86 %". */
export function percentInWords(percent: number): string {
  return Number.isFinite(percent) ? `${grouped(percent)} %` : 'unknown';
}

/** (1, "SIM") → "1 SIM"; (12, "SIM") → "12 SIMs"; (2, "retry", "retries") → "2 retries". */
export function countInWords(count: number, one: string, many = `${one}s`): string {
  return Number.isFinite(count) ? `${grouped(count)} ${count === 1 ? one : many}` : `an unknown number of ${many}`;
}

/** 93600 → "26 h". */
export function durationInWords(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 120) return `${grouped(seconds)} s`;
  if (seconds < 2 * 3600) return `${grouped(seconds / 60)} min`;
  return seconds < 72 * 3600 ? `${grouped(seconds / 3600)} h` : `${grouped(seconds / 86_400)} days`;
}

function shortNumber(value: number): string {
  return trimmed(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0));
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

/** Whole, with commas: 12345.6 → "12,346". Written out, since locale data differ between machines. */
function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
