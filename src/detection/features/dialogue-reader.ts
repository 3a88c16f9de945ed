/**
 * Reads the dialogues of clients of one day into memory, of several at once: a day that was open until now has no index, so that each read passes over
 * all of it. PostgreSQL: one COPY. The embedded database: page by page of the day's leaf, each in a
 * transaction of its own, since whatever runs there keeps everybody else waiting. A dialogue that is stored meanwhile may be missed; it leaves the day
 * due again.
 */
import type { Database, Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import { startOfDay, type Day } from '../days';
import { COPIED_COLUMNS, CopyParser } from './copy-parser';
import { PackedDialogues } from './packed-dialogues';

/** 8 KB each, about a hundred dialogues: some 50 ms. */
const PAGE_BLOCKS = 128;
const BLOCK_BYTES = 8192;
const READ_MILLISECONDS = 600_000;

/** Which of the client's SIMs: those whose id leaves this remainder. */
export interface SimBucket {
  readonly of: number;
  readonly remainder: number;
}

/** A client and how many dialogues are expected of it. */
interface ClientDialogues {
  readonly clientId: number;
  readonly dialogues: number;
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

/** The dialogues of clients that fit into memory together: read when the first of them is taken. */
export class DialogueGroup {
  private dialogues: Promise<Map<number, PackedDialogues>> | null = null;

  constructor(
    private readonly database: Database,
    private readonly day: Day,
    private readonly clients: readonly ClientDialogues[],
  ) {}

  /** Those of a client, once: whoever takes them changes them. */
  async take(clientId: number): Promise<PackedDialogues> {
    const all = await (this.dialogues ??= readDialogues(this.database, this.clients, this.day, { of: 1, remainder: 0 }));
    const own = all.get(clientId);
    if (!own) throw new Error(`expected dialogues of client ${clientId} that nobody has taken yet, got none.`);
    all.delete(clientId);
    return own;
  }
}

/** By client. */
export async function readDialogues(
  database: Database,
  clients: readonly ClientDialogues[],
  day: Day,
  bucket: SimBucket,
): Promise<Map<number, PackedDialogues>> {
  const clientIds = clients.map(({ clientId }) => clientId);
  // These become part of statements, since COPY takes no parameters.
  if (clientIds.length === 0 || !clientIds.every(Number.isInteger) || !dayPattern.test(day))
    throw new Error(`expected clients' numbers and a day, got ${clientIds.join(', ')} and ${day}.`);
  const packed = new Map(clients.map(({ clientId, dialogues }) => [clientId, new PackedDialogues(Math.ceil(dialogues / bucket.of) + 1)]));
  const sims = bucket.of === 1 ? '' : ` AND sim_id % ${bucket.of} = ${bucket.remainder}`;
  const those = clientIds.length === 1 ? `= ${clientIds[0]}` : `IN (${clientIds.join(', ')})`;
  const select = (from: string, where: string) =>
    `SELECT ${COPIED_COLUMNS} FROM ${from} WHERE client_id ${those} AND day = '${day}'${sims}${where}`;
  const read = async (tx: Transaction, statement: string): Promise<void> => {
    const parser = new CopyParser(packed, startOfDay(day));
    // every row goes through the one process that sends it; handing rows to it costs more than reading them
    await tx.query('SET LOCAL max_parallel_workers_per_gather = 0');
    await tx.copyOut(statement, parser.take);
    parser.end();
  };
  const options = {
    name: 'features.read',
    role: 'ingest',
    // of several: one of the few reads over clients, filtered to these
    ...(clientIds.length === 1 ? { clientId: clientIds[0]! } : {}),
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
