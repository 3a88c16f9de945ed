/** Stores one chunk: one transaction for each client that its records belong to, the sender's own part last. Any of it may be repeated. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../database/database';
import { Clock, Entropy } from '../runtime';
import { ledgerBatch, type Batch } from './batch';
import type { Chunk } from './chunk';
import { dayOf } from './hours';
import {
  addCounts,
  claimEntry,
  findEntry,
  MOST_ERRORS,
  NO_COUNTS,
  standingOf,
  tailOf,
  writeEntry,
  type Counts,
  type LedgerKey,
  type Standing,
  type Tail,
} from './ledger';
import { Owners } from './owners';
import { rowError, type RowError } from './parsing/column';
import type { Row } from './parsing/rows';
import { quarantine, takeBackQuarantined, unreadable, unstorable, type Quarantined } from './quarantine';
import type { RecordKind, TelemetryRecord } from './record-kind';
import { storeRecords, takeBackRecord, type StoreScope } from './record-store';
import { advanceWatermark } from './watermarks';

/** A row of one client's part of a chunk: a record with its SIM, or a reason. */
interface PartRow {
  readonly index: number;
  readonly row: Row<TelemetryRecord>;
  readonly simId: string | null;
  readonly error: RowError | null;
}

interface Work {
  readonly batch: Batch;
  readonly kind: RecordKind;
  /** Name of the batch, as answered. */
  readonly name: string;
  readonly chunk: Chunk<TelemetryRecord>;
  readonly now: Date;
}

interface PartResult {
  /** What this call added. */
  readonly added: Counts;
  /** What the ledger says of the part now; of the own part: of the whole chunk. */
  readonly all: Counts;
  readonly tail: Tail | null;
}

/** A chunk's statements are longer than a query's, and wait for other chunks of the client. */
const STATEMENT_TIMEOUT_MILLISECONDS = 120_000;

@singleton()
export class ChunkStore {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  async store(batch: Batch, kind: RecordKind, name: string, chunk: Chunk<TelemetryRecord>): Promise<Counts> {
    const work: Work = { batch, kind, name, chunk, now: this.clock.now() };
    const { standing, parts } = await this.resolve(work);
    if (standing.is === 'REPEAT') return standing.counts;
    await this.database.ensurePartitions(kind.table, days(parts));
    let others: Counts = NO_COUNTS;
    let tail: Tail | null = null;
    for (const clientId of [...parts.keys()].sort((a, b) => a - b)) {
      if (clientId === batch.ownClientId) continue;
      const result = await this.storePart(work, clientId, parts.get(clientId)!, standing, others, null);
      others = addCounts(others, result.added);
      if (result.tail && result.tail.outcome !== 'ELSEWHERE') tail = result.tail;
    }
    const own = await this.storePart(work, batch.ownClientId, parts.get(batch.ownClientId) ?? [], standing, others, tail);
    return own.all;
  }

  /** What is stored of the chunk already, and whose the rest is. A foreign SIM of a client's key looks exactly like a missing one. */
  private resolve(work: Work): Promise<{ standing: Standing; parts: Map<number, PartRow[]> }> {
    const { batch, chunk } = work;
    return this.database.transaction({ name: 'ingest.resolve', role: 'ingest', readOnly: true }, async (tx) => {
      const parts = new Map<number, PartRow[]>();
      const entry = await findEntry(tx, ledgerKey(work, batch.ownClientId));
      const standing = standingOf(entry, chunk, work.name);
      if (standing.is === 'REPEAT') return { standing, parts };
      const from = standing.is === 'CONTINUATION' ? standing.from : 0;
      const owners = await Owners.of(
        tx,
        chunk.rows.slice(from).flatMap((row) => row.content ?? []),
      );
      for (let index = from; index < chunk.rows.length; index++) {
        const row = chunk.rows[index]!;
        const owner = row.content && owners.find(row.content);
        const known = owner !== null && (batch.operator || owner.clientId === batch.ownClientId);
        const error = row.error ?? (known ? null : rowError('UNKNOWN_SIM', { field: 'ICCID', given: row.content!.iccid }));
        add(parts, known ? owner.clientId : batch.ownClientId, { index, row, simId: known ? owner.simId : null, error });
      }
      // Where the last row of a shorter body is to be taken back, its client is visited even if it has no new row.
      const cut = standing.is === 'CONTINUATION' ? standing.takeBack : null;
      if (cut?.record && !parts.has(cut.clientId)) parts.set(cut.clientId, []);
      return { standing, parts };
    });
  }

  private storePart(
    work: Work,
    clientId: number,
    rows: readonly PartRow[],
    chunkStanding: Standing,
    others: Counts,
    otherTail: Tail | null,
  ): Promise<PartResult> {
    const own = clientId === work.batch.ownClientId;
    return this.database.transaction(
      { name: 'ingest.chunk', role: 'ingest', clientId, statementTimeoutMs: STATEMENT_TIMEOUT_MILLISECONDS },
      async (tx) => {
        const key = ledgerKey(work, clientId);
        const entry = await claimEntry(tx, key, work.chunk, work.now);
        const standing = standingOf(entry, work.chunk, work.name);
        if (standing.is === 'REPEAT' && (own || chunkStanding.is === 'NEW'))
          return { added: standing.counts, all: standing.counts, tail: entry!.tail };
        if (standing.is === 'CONTINUATION' && standing.takeBack) await this.takeBack(tx, work, clientId, standing.takeBack);
        const from = standing.is === 'CONTINUATION' ? standing.from : 0;
        const { added, tail } = await this.storeRows(
          tx,
          work,
          clientId,
          rows.filter((row) => row.index >= from),
        );
        const before = standing.is === 'NEW' ? NO_COUNTS : standing.counts;
        const all = addCounts(addCounts(before, own ? others : NO_COUNTS), added);
        const kept = tail ?? otherTail ?? elsewhere(work.chunk, clientId);
        await writeEntry(tx, key, work.chunk, all, kept, work.now);
        return { added, all, tail: kept };
      },
    );
  }

  private async storeRows(
    tx: Transaction,
    work: Work,
    clientId: number,
    rows: readonly PartRow[],
  ): Promise<{ added: Counts; tail: Tail | null }> {
    const scope = this.scope(work, clientId);
    const owned = rows.filter((row) => row.simId !== null);
    const outcomes = await storeRecords(
      tx,
      scope,
      work.kind,
      owned.map((row) => ({ simId: row.simId!, record: row.row.content! })),
    );
    const rejected: { readonly row: PartRow; readonly quarantined: Quarantined }[] = [];
    for (const row of rows) {
      if (row.error)
        rejected.push({
          row,
          quarantined: row.row.content ? unstorable(work.kind, row.row.line, row.row.content, row.error) : unreadable(row.row, row.error),
        });
    }
    owned.forEach((row, i) => {
      if (outcomes[i] === 'CONFLICT')
        rejected.push({ row, quarantined: unstorable(work.kind, row.row.line, row.row.content!, rowError('CONFLICTING_RECORD')) });
    });
    await quarantine(
      tx,
      { ...scope, kind: work.kind.name, batch: work.name },
      rejected.map((entry) => entry.quarantined),
    );
    await this.advance(tx, work, clientId, rows);
    const added: Counts = {
      accepted: outcomes.filter((outcome) => outcome === 'INSERTED').length,
      duplicates: outcomes.filter((outcome) => outcome === 'DUPLICATE').length,
      rejected: rejected.length,
      errors: rejected
        .map(({ quarantined: { line, error } }) => ({ line, ...error }))
        .sort((a, b) => a.line - b.line)
        .slice(0, MOST_ERRORS),
    };
    const cut = rows.find((row) => row.index >= work.chunk.settledRows);
    if (!cut) return { added, tail: null };
    const reason = rejected.find((entry) => entry.row === cut)?.quarantined;
    const outcome = reason ? 'REJECTED' : outcomes[owned.indexOf(cut)] === 'INSERTED' ? 'ACCEPTED' : 'DUPLICATE';
    return { added, tail: tailOf(clientId, cut.row, outcome, identityOf(cut.row), reason ?? null) };
  }

  /** The operator's own row of the watermark speaks for the source as a whole. */
  private async advance(tx: Transaction, work: Work, clientId: number, rows: readonly PartRow[]): Promise<void> {
    const whole = work.batch.operator && clientId === work.batch.ownClientId;
    let latest = -1;
    if (whole) for (const row of work.chunk.rows) latest = Math.max(latest, row.content?.endedAt ?? -1);
    else for (const { row } of rows) latest = Math.max(latest, row.content?.endedAt ?? -1);
    if (latest >= 0) await advanceWatermark(tx, { clientId, source: work.batch.source, kind: work.kind.name, now: work.now }, latest);
  }

  private async takeBack(tx: Transaction, work: Work, clientId: number, tail: Tail): Promise<void> {
    if (tail.clientId !== clientId) return;
    if (tail.outcome === 'ACCEPTED' && tail.record) await takeBackRecord(tx, this.scope(work, clientId), work.kind, tail.record);
    if (tail.outcome === 'REJECTED' && tail.quarantined) {
      const scope = { clientId, source: work.batch.source, kind: work.kind.name, batch: work.name };
      await takeBackQuarantined(tx, scope, { ...tail.quarantined, line: tail.line });
    }
  }

  private scope(work: Work, clientId: number): StoreScope {
    return { clientId, source: work.batch.source, now: work.now, entropy: this.entropy, reason: 'INGEST' };
  }
}

function ledgerKey(work: Work, clientId: number): LedgerKey {
  return { clientId, source: work.batch.source, kind: work.kind.name, batch: ledgerBatch(work.batch, work.name), chunk: work.chunk.number };
}

function add(parts: Map<number, PartRow[]>, clientId: number, row: PartRow): void {
  const part = parts.get(clientId);
  if (part) part.push(row);
  else parts.set(clientId, [row]);
}

/** The partitions that the records need. */
function days(parts: ReadonlyMap<number, readonly PartRow[]>): string[] {
  const found = new Set<string>();
  for (const rows of parts.values()) for (const { row, simId } of rows) if (simId !== null) found.add(dayOf(row.content!.startedAt));
  return [...found];
}

function elsewhere(chunk: Chunk<TelemetryRecord>, clientId: number): Tail | null {
  const row = chunk.rows[chunk.settledRows];
  return row ? tailOf(clientId, row, 'ELSEWHERE', null, null) : null;
}

function identityOf({ content }: Row<TelemetryRecord>): Tail['record'] {
  return content && { day: dayOf(content.startedAt), id: content.id, contentHash: content.contentHash };
}
