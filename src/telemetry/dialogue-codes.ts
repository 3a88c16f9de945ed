/** The numbers under which dialogues are stored: a name's code is its place here, from 1. Stored for good: names are only ever added at the end. */

export const PROTOCOLS = ['MAP', 'DIAMETER'] as const;
export const PROCEDURES = ['SAI', 'UL', 'UL_GPRS', 'CL', 'PURGE', 'NOTIFY'] as const;
export const ORIGINS = ['VLR', 'SGSN', 'MME', 'HOME'] as const;
export const OUTCOMES = ['SUCCESS', 'REJECT', 'ERROR', 'TIMEOUT'] as const;
export const CANCELLATION_TYPES = ['UPDATE_PROCEDURE', 'SUBSCRIPTION_WITHDRAWAL'] as const;

export type Protocol = (typeof PROTOCOLS)[number];
export type Procedure = (typeof PROCEDURES)[number];
export type Origin = (typeof ORIGINS)[number];
export type Outcome = (typeof OUTCOMES)[number];
export type CancellationType = (typeof CANCELLATION_TYPES)[number];

/** `214-07` → (214 × 1000 + 7) × 2, one more where the MNC has three digits, since 310-41 and 310-041 are two networks. */
export function plmnCode(text: string): number {
  const mnc = text.slice(4);
  return (Number(text.slice(0, 3)) * 1000 + Number(mnc)) * 2 + (mnc.length === 3 ? 1 : 0);
}

/** The network as `MCC-MNC`. */
export function plmnText(code: number): string {
  const digits = code % 2 === 1 ? 3 : 2;
  const number = Math.floor(code / 2);
  return `${String(Math.floor(number / 1000)).padStart(3, '0')}-${String(number % 1000).padStart(digits, '0')}`;
}
