/** `npm run faults` does everything at length; the suite, which everybody waits for, takes a part of the same cases. */
export const AT_LENGTH = process.env['SIMWARDEN_AT_LENGTH'] === '1';
