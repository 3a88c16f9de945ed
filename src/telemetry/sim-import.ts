/** Inventories: rows of SIMs in chunks to the fleet's registry, with the same ledger and quarantine as telemetry. */
import { singleton } from 'tsyringe';
import { Database } from '../database/database';
import { errorMessage } from '../errors';
import { SimRegistry, type RegistrationOutcome, type SimRow } from '../fleet';
import { Clock, Entropy } from '../runtime';
import { ledgerBatch, type Batch } from './batch';
import type { Chunk } from './chunk';
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
  type Tail,
} from './ledger';
import { optional, readColumns, required, type RowError, type ValuesOf } from './parsing/column';
import type { RowKind } from './parsing/rows';
import { textUpTo } from './parsing/values';
import { quarantine, takeBackQuarantined, unreadable, type Quarantined } from './quarantine';

const text = textUpTo(200);

export const simColumns = {
  iccid: required(text),
  imsi: optional(text),
  msisdn: optional(text),
  client: required(text),
  fleet: optional(text),
  family: optional(text),
  imei: optional(text),
  criticality: optional(text),
};

type SimValues = ValuesOf<typeof simColumns>;

/** The registry itself says what a valid ICCID, IMSI or name is. */
export const simKind: RowKind<SimValues> = { name: 'sims', columns: simColumns, read: (textOf) => readColumns(simColumns, textOf) };

@singleton()
export class SimImport {
  constructor(
    private readonly database: Database,
    private readonly registry: SimRegistry,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Registering is not one transaction with the ledger: a kill in between is made up for by sending again, since registering again changes nothing. */
  async store(batch: Batch, name: string, chunk: Chunk<SimValues>): Promise<Counts> {
    const key: LedgerKey = {
      clientId: batch.ownClientId,
      source: batch.source,
      kind: simKind.name,
      batch: ledgerBatch(batch, name),
      chunk: chunk.number,
    };
    const standing = await this.database.transaction(
      { name: 'ingest.resolve', role: 'ingest', clientId: batch.ownClientId, readOnly: true },
      async (tx) => standingOf(await findEntry(tx, key), chunk, name),
    );
    if (standing.is === 'REPEAT') return standing.counts;
    const from = standing.is === 'CONTINUATION' ? standing.from : 0;
    const { added, rejected, tail } = await this.register(batch, chunk, from);
    const all = addCounts(standing.is === 'NEW' ? NO_COUNTS : standing.counts, added);
    return this.database.transaction({ name: 'ingest.sims', role: 'ingest', clientId: batch.ownClientId }, async (tx) => {
      const now = this.clock.now();
      const scope = { clientId: batch.ownClientId, source: batch.source, kind: simKind.name, batch: name, now, entropy: this.entropy };
      const stored = standingOf(await claimEntry(tx, key, chunk, now), chunk, name);
      if (stored.is === 'REPEAT') return stored.counts;
      // A registered row that was cut needs no taking back: registering the whole one updates it.
      const cut = stored.is === 'CONTINUATION' ? stored.takeBack : null;
      if (cut?.quarantined) await takeBackQuarantined(tx, scope, { ...cut.quarantined, line: cut.line });
      await quarantine(tx, scope, rejected);
      await writeEntry(tx, key, chunk, all, tail, now);
      return all;
    });
  }

  private async register(
    batch: Batch,
    chunk: Chunk<SimValues>,
    from: number,
  ): Promise<{ added: Counts; rejected: Quarantined[]; tail: Tail | null }> {
    const rows = chunk.rows.slice(from);
    const readable = rows.filter((row) => row.content !== null);
    const outcomes =
      readable.length > 0
        ? await this.registry.register(
            readable.map((row) => simRow(row.line, row.content!)),
            batch.caller,
          )
        : [];
    const rejected = rows.filter((row) => row.error !== null).map((row) => unreadable(row, row.error!));
    outcomes.forEach((outcome, i) => {
      if (outcome.status !== 'REJECTED') return;
      const row = readable[i]!;
      rejected.push({ ...unreadable(row, reasonOf(outcome)), given: givenOf(row.content!) });
    });
    rejected.sort((a, b) => a.line - b.line);
    const duplicates = outcomes.filter((outcome) => outcome.status === 'UNCHANGED').length;
    const added: Counts = {
      accepted: rows.length - duplicates - rejected.length,
      duplicates,
      rejected: rejected.length,
      errors: rejected.slice(0, MOST_ERRORS).map(({ line, error }) => ({ line, ...error })),
    };
    const cut = chunk.rows[chunk.settledRows];
    if (!cut) return { added, rejected, tail: null };
    const reason = rejected.find((row) => row.line === cut.line) ?? null;
    const unchanged = outcomes.some((outcome) => outcome.line === cut.line && outcome.status === 'UNCHANGED');
    return {
      added,
      rejected,
      tail: tailOf(batch.ownClientId, cut, reason ? 'REJECTED' : unchanged ? 'DUPLICATE' : 'ACCEPTED', null, reason),
    };
  }
}

function simRow(line: number, values: SimValues): SimRow {
  return { line, ...values };
}

function reasonOf(outcome: RegistrationOutcome): RowError {
  return outcome.error
    ? { code: outcome.error.code, message: outcome.error.message }
    : { code: 'INTERNAL_SERVER_ERROR', message: errorMessage('INTERNAL_SERVER_ERROR', { requestId: '-' }) };
}

function givenOf(values: SimValues): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}
