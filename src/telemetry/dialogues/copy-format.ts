/** What PostgreSQL's binary COPY format has around its rows, and where its days begin. */

/** Signature, flags, no extension. */
export const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** A field count of −1 ends it. */
export const COPY_END_BYTES = 2;
/** PostgreSQL counts days from 2000-01-01: in days since 1970. */
export const FIRST_DAY = 10_957;
