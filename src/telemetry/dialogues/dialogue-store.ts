/**
 * Stores one chunk of dialogues with all that is kept beside them, in one transaction. Elsewhere a transaction stays in one client; here a chunk of an
 * operator's feed holds the SIMs of thousands of clients, and a transaction and a COPY for each would cost most of the rate. So the dialogues of all
 * its clients are loaded at once, and the sender's own ledger row alone tells that they are.
 */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { Clock, Entropy } from '../../runtime';
import { ledgerBatch, type Batch } from '../batch';
import { addCounts, claimEntry, findEntry, MOST_ERRORS, NO_COUNTS, standingOf, tailOf, writeEntry } from '../ledger';
import type { Counts, LedgerKey, Standing, Tail } from '../ledger';
import { rowError, textsOf, type RowError } from '../parsing/column';
import { int8Hash, quarantine, takeBackQuarantined, unreadable, type Quarantined } from '../quarantine';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { dialogueColumns, dialogueKind } from './dialogue-kind';
import { DialogueLoader } from './dialogue-loader';
import { ImsiOwners } from './imsi-owners';
import { acceptedTail } from './stored-tail';

interface Work {
  readonly batch: Batch;
  /** Name of the batch, as answered. */
  readonly name: string;
  readonly chunk: DialogueChunk;
  readonly strict: boolean;
  readonly now: Date;
  readonly key: LedgerKey;
}

const STATEMENT_TIMEOUT_MILLISECONDS = 120_000;

@singleton()
export class DialogueStore {
  constructor(
    private readonly database: Database,
    private readonly owners: ImsiOwners,
    private readonly loader: DialogueLoader,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** While the previous chunk is still being stored, the owners of this one are found. */
  async store(batch: Batch, name: string, chunk: DialogueChunk, strict: boolean, previous: Promise<void>): Promise<Counts> {
    const key = {
      clientId: batch.ownClientId,
      source: batch.source,
      kind: dialogueKind.name,
      batch: ledgerBatch(batch, name),
      chunk: chunk.number,
    };
    const work: Work = { batch, name, chunk, strict, now: this.clock.now(), key };
    // Both are waited for: whoever gets the chunk next must find nobody working on it.
    const [before, prepared] = await Promise.allSettled([previous, this.prepare(work)]);
    if (before.status === 'rejected') throw before.reason;
    if (prepared.status === 'rejected') throw prepared.reason;
    const { standing, nodeIds } = prepared.value;
    if (standing.is === 'REPEAT') return standing.counts;
    return this.database.transaction(
      { name: 'ingest.dialogues', role: 'ingest', statementTimeoutMs: STATEMENT_TIMEOUT_MILLISECONDS },
      (tx) => this.storeRows(tx, work, nodeIds),
    );
  }

  private async prepare(work: Work): Promise<{ readonly standing: Standing; readonly nodeIds: Int32Array }> {
    const standing = await this.resolve(work);
    // Takes its time too, and is asked for in the transaction.
    work.chunk.hash();
    const isRepeat = standing.is === 'REPEAT';
    return { standing, nodeIds: isRepeat ? new Int32Array(0) : await this.loader.prepare(work.chunk, work.strict) };
  }

  /** What is stored of the chunk already, and whose the rest is. A foreign SIM of a client's key looks exactly like a missing one. */
  private resolve(work: Work): Promise<Standing> {
    const { chunk, batch } = work;
    return this.database.transaction({ name: 'ingest.resolve', role: 'ingest', readOnly: true }, async (tx) => {
      const standing = standingOf(await findEntry(tx, work.key), chunk, work.name);
      if (standing.is === 'REPEAT') return standing;
      const from = standing.is === 'CONTINUATION' ? standing.from : 0;
      chunk.fate.fill(Fate.SETTLED, 0, from);
      chunk.fate.fill(Fate.STORED, from, chunk.rowCount);
      for (const row of chunk.bad.keys()) if (row >= from) chunk.fate[row] = Fate.REJECTED;
      await this.owners.resolve(tx, chunk, from, batch.operator ? null : batch.ownClientId);
      return standing;
    });
  }

  private async storeRows(tx: Transaction, work: Work, nodeIds: Int32Array): Promise<Counts> {
    const { chunk, key, now, batch } = work;
    // Only a strict chunk has more to find out.
    const expected = work.strict ? undefined : this.outcome(work, nodeIds);
    const standing = standingOf(await claimEntry(tx, key, chunk, now, expected), chunk, work.name);
    if (standing.is === 'REPEAT') return standing.counts;
    if (standing.is === 'CONTINUATION') {
      chunk.fate.fill(Fate.SETTLED, 0, standing.from);
      if (standing.takeBack) await this.takeBack(tx, work, standing.takeBack);
    }
    // The operator's own row speaks for the source as a whole.
    const wholeUpTo = batch.operator ? latestReadable(chunk) : null;
    await this.loader.load(tx, { chunk, nodeIds, strict: work.strict, source: batch.source, wholeUpTo, now });
    const { rejected, counts, tail } = standing.is === 'NEW' && expected ? expected : this.outcome(work, nodeIds);
    await quarantine(tx, this.quarantineScope(work), rejected);
    if (standing.is === 'NEW' && expected) return counts;
    const all = addCounts(standing.is === 'NEW' ? NO_COUNTS : standing.counts, counts);
    await writeEntry(tx, key, chunk, all, tail, now);
    return all;
  }

  /** By what is known of the rows' fates. */
  private outcome(
    work: Work,
    nodeIds: Int32Array,
  ): { readonly rejected: Quarantined[]; readonly counts: Counts; readonly tail: Tail | null } {
    const rejected = this.rejected(work.chunk);
    return { rejected, counts: countsOf(work.chunk, rejected), tail: this.tail(work, nodeIds, rejected) };
  }

  private rejected(chunk: DialogueChunk): Quarantined[] {
    const rejected: Quarantined[] = [];
    for (let row = 0; row < chunk.rowCount; row++) {
      if (chunk.fate[row] !== Fate.REJECTED) continue;
      const line = chunk.line[row]!;
      const bad = chunk.bad.get(row);
      rejected.push(bad ? unreadable({ bytes: chunk.rowContent(row), line, given: bad.given }, bad.error) : held(chunk, row));
    }
    return rejected;
  }

  /** What became of a last row without a line break, which may have been cut. */
  private tail({ chunk, batch, strict }: Work, nodeIds: Int32Array, rejected: readonly Quarantined[]): Tail | null {
    const row = chunk.settledRows;
    if (row >= chunk.rowCount) return null;
    const cut = { bytes: chunk.rowContent(row), line: chunk.line[row]! };
    if (chunk.fate[row] === Fate.REJECTED) return tailOf(batch.ownClientId, cut, 'REJECTED', null, rejected.at(-1)!);
    if (chunk.fate[row] === Fate.DUPLICATE) return tailOf(batch.ownClientId, cut, 'DUPLICATE', null, null);
    return tailOf(batch.ownClientId, cut, 'ACCEPTED', acceptedTail(chunk, row, nodeIds, strict), null);
  }

  private async takeBack(tx: Transaction, work: Work, tail: Tail): Promise<void> {
    if (tail.outcome === 'REJECTED' && tail.quarantined)
      await takeBackQuarantined(tx, this.quarantineScope(work), { ...tail.quarantined, line: tail.line });
    if (tail.outcome === 'ACCEPTED' && tail.record) await this.loader.takeBack(tx, tail.record, work.now);
  }

  private quarantineScope({ batch, name, now }: Work): Parameters<typeof quarantine>[1] {
    return { clientId: batch.ownClientId, source: batch.source, kind: dialogueKind.name, batch: name, now, entropy: this.entropy };
  }
}

/** A valid dialogue of a SIM that nobody has, kept until somebody has it. */
function held(chunk: DialogueChunk, row: number): Quarantined {
  const values = chunk.values(row);
  const given = textsOf(dialogueColumns, values);
  const error: RowError = rowError('UNKNOWN_SIM', { field: 'IMSI', given: values.imsi });
  return { hash: int8Hash(JSON.stringify(given)), line: chunk.line[row]!, error, given, iccid: null, imsi: values.imsi };
}

function latestReadable(chunk: DialogueChunk): number | null {
  let latest = 0;
  for (let row = 0; row < chunk.rowCount; row++) {
    if (!chunk.bad.has(row) && chunk.startedAt[row]! > latest) latest = chunk.startedAt[row]!;
  }
  return latest > 0 ? latest : null;
}

function countsOf(chunk: DialogueChunk, rejected: readonly Quarantined[]): Counts {
  let accepted = 0;
  let duplicates = 0;
  for (let row = 0; row < chunk.rowCount; row++) {
    if (chunk.fate[row] === Fate.STORED) accepted++;
    else if (chunk.fate[row] === Fate.DUPLICATE) duplicates++;
  }
  const errors = rejected.slice(0, MOST_ERRORS).map(({ line, error }) => ({ line, ...error }));
  return { accepted, duplicates, rejected: rejected.length, errors };
}
