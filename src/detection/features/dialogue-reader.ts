/**
 * Reads the dialogues of one client and day into memory. PostgreSQL: one COPY. The embedded database: page by page of the day's leaf, each in a
 * transaction of its own, since whatever runs there keeps everybody else waiting. A dialogue that is stored meanwhile may be missed; it leaves the day
 * due again.
 */
import type { Database, Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { startOfDay, type Day } from '../days';
import { COPIED_COLUMNS, CopyParser } from './copy-parser';
import { PackedDialogues } from './packed-dialogues';

/** 8 KB each, about a hundred dialogues: some 100 ms. */
const PAGE_BLOCKS = 256;
const BLOCK_BYTES = 8192;
const READ_MILLISECONDS = 600_000;

/** Which of the client's SIMs: those whose id leaves this remainder. */
export interface SimBucket {
  readonly of: number;
  readonly remainder: number;
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

export async function readDialogues(database: Database, clientId: number, day: Day, bucket: SimBucket): Promise<PackedDialogues> {
  // These become part of statements, since COPY takes no parameters.
  if (!Number.isInteger(clientId) || !dayPattern.test(day))
    throw new Error(`expected a client's number and a day, got ${clientId} and ${day}.`);
  const packed = new PackedDialogues(65_536);
  const sims = bucket.of === 1 ? '' : ` AND sim_id % ${bucket.of} = ${bucket.remainder}`;
  const select = (from: string, where: string) =>
    `SELECT ${COPIED_COLUMNS} FROM ${from} WHERE client_id = ${clientId} AND day = '${day}'${sims}${where}`;
  const read = async (tx: Transaction, statement: string): Promise<void> => {
    const parser = new CopyParser(packed, startOfDay(day));
    await tx.copyOut(statement, (bytes) => parser.take(bytes));
    parser.end();
  };
  const options = {
    name: 'features.read',
    role: 'ingest',
    clientId,
    readOnly: true,
    statementTimeoutMs: READ_MILLISECONDS,
    retries: 0,
  } as const;
  if (database.kind === 'postgresql') {
    await database.transaction(options, (tx) => read(tx, select('dialogue', '')));
    return packed;
  }
  const leaf = partitionName('dialogue', day);
  const blocks = await database.transaction(options, (tx) => blocksOf(tx, leaf));
  for (let block = 0; block < blocks; block += PAGE_BLOCKS) {
    const page = ` AND ctid >= '(${block},0)' AND ctid < '(${block + PAGE_BLOCKS},0)'`;
    await database.transaction(options, (tx) => read(tx, select(leaf, page)));
  }
  return packed;
}

/** 0 where the day has no leaf. */
async function blocksOf(tx: Transaction, leaf: string): Promise<number> {
  const [size] = await tx.query<{ bytes: string | null }>('SELECT pg_relation_size(to_regclass($1)) AS bytes', [leaf]);
  return Math.ceil(Number(size?.bytes ?? 0) / BLOCK_BYTES);
}
