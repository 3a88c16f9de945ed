/** Stores the dialogues that were held for SIMs which are registered now. Unlike other records they have no identity: settling and storing are one transaction. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { lookup } from '../../fleet';
import { Clock, Entropy } from '../../runtime';
import { plainArray, textArray } from '../array-literal';
import { readObject, type Row } from '../parsing/rows';
import { quarantine, unreadable } from '../quarantine';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { DialogueIngest } from './dialogue-ingest';
import { dialogueKind, type DialogueValues } from './dialogue-kind';
import { DialogueLoader } from './dialogue-loader';
import { ImsiOwners } from './imsi-owners';

interface HeldRow {
  client_id: number;
  quarantine_id: string;
  source: string;
  batch_key: string;
  line: string;
  record: Record<string, string>;
}

const PAGE_ROWS = 1000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

@singleton()
export class DialogueRequeuer {
  /** Where the walk through the held IMSIs stands; null: at the beginning. */
  private walkedTo: { readonly clientId: number; readonly imsi: string } | null = null;

  constructor(
    private readonly database: Database,
    private readonly dialogues: DialogueIngest,
    private readonly owners: ImsiOwners,
    private readonly loader: DialogueLoader,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Stores what is held in these clients' quarantines for the SIMs that have these ICCIDs; answers how many rows were settled. */
  async requeueSims(clientIds: readonly number[], iccids: readonly string[]): Promise<number> {
    const imsis = await this.database.transaction({ name: 'quarantine.imsis', role: 'ingest', readOnly: true }, async (tx) => {
      const entries = await lookup(tx, 'ICCID', iccids);
      const rows = await tx.query<{ imsi: string }>(
        'SELECT imsi FROM sim WHERE client_id = ANY($1::int4[]) AND sim_id = ANY($2::int8[]) AND imsi IS NOT NULL',
        [plainArray([...new Set(entries.map((entry) => entry.clientId))]), plainArray(entries.flatMap((entry) => entry.simId ?? []))],
      );
      return rows.map((row) => row.imsi);
    });
    return this.requeue(clientIds, imsis);
  }

  /** One page of held IMSIs; true where there are more. */
  async walkOn(): Promise<boolean> {
    const { clientId, imsi } = this.walkedTo ?? { clientId: -1, imsi: '' };
    const page = await this.database.transaction({ name: 'quarantine.walk', role: 'ingest', readOnly: true }, (tx) =>
      tx.query<{ client_id: number; imsi: string }>(
        `SELECT DISTINCT client_id, imsi FROM quarantine
          WHERE state = 'HELD' AND code = 'UNKNOWN_SIM' AND imsi IS NOT NULL AND (client_id, imsi) > ($1, $2)
          ORDER BY client_id, imsi LIMIT ${PAGE_ROWS}`,
        [clientId, imsi],
      ),
    );
    for (const held of new Set(page.map((row) => row.client_id))) {
      const known = await this.known(page.filter((row) => row.client_id === held).map((row) => row.imsi));
      await this.requeue([held], known);
    }
    const last = page.at(-1);
    this.walkedTo = last && page.length === PAGE_ROWS ? { clientId: last.client_id, imsi: last.imsi } : null;
    return this.walkedTo !== null;
  }

  private known(imsis: readonly string[]): Promise<string[]> {
    return this.database.transaction({ name: 'quarantine.known', role: 'ingest', readOnly: true }, async (tx) => {
      const entries = await lookup(tx, 'IMSI', imsis);
      return [...new Set(entries.map((entry) => entry.value))];
    });
  }

  private async requeue(clientIds: readonly number[], imsis: readonly string[]): Promise<number> {
    if (imsis.length === 0) return 0;
    let settled = 0;
    for (const clientId of clientIds) {
      let after = FIRST_ID;
      for (;;) {
        const rows = await this.heldRows(clientId, imsis, after);
        if (rows.length === 0) break;
        after = rows.at(-1)!.quarantine_id;
        for (const source of new Set(rows.map((row) => row.source)))
          settled += await this.settle(
            clientId,
            source,
            rows.filter((row) => row.source === source),
          );
      }
    }
    return settled;
  }

  private heldRows(clientId: number, imsis: readonly string[], after: string): Promise<HeldRow[]> {
    return this.database.transaction({ name: 'quarantine.held', role: 'ingest', clientId, readOnly: true }, (tx) =>
      tx.query<HeldRow>(
        `SELECT client_id, quarantine_id, source, batch_key, line, record FROM quarantine
          WHERE client_id = $1 AND imsi = ANY($2::text[]) AND state = 'HELD' AND code = 'UNKNOWN_SIM' AND quarantine_id > $3
          ORDER BY quarantine_id LIMIT ${PAGE_ROWS}`,
        [clientId, textArray(imsis), after],
      ),
    );
  }

  /**
   * What is held reads back as the dialogue that it was, unless it has become too old meanwhile. It is compared as in a strict batch: nobody knows any
   * more which kind of batch it came in.
   */
  private async settle(clientId: number, source: string, held: readonly HeldRow[]): Promise<number> {
    const now = this.clock.now();
    const chunk = this.dialogues.chunkOf(held.map((row) => reread(row, now.getTime())));
    chunk.fate.fill(Fate.STORED, 0, chunk.rowCount);
    for (const row of chunk.bad.keys()) chunk.fate[row] = Fate.REJECTED;
    await this.database.transaction({ name: 'quarantine.owners', role: 'ingest', readOnly: true }, (tx) =>
      this.owners.resolve(tx, chunk, 0, clientId === 0 ? null : clientId),
    );
    const nodeIds = await this.loader.prepare(chunk, true);
    return this.database.transaction({ name: 'quarantine.requeueDialogues', role: 'ingest' }, async (tx) => {
      const settled = await markSettled(tx, clientId, heldAndSettled(chunk, held), now);
      for (const [row, { quarantine_id: id }] of held.entries()) {
        if (chunk.fate[row] === Fate.DUPLICATE) chunk.fate[row] = Fate.STORED;
        if (chunk.fate[row] === Fate.STORED && !settled.has(id)) chunk.fate[row] = Fate.SETTLED;
      }
      await this.holdUnreadable(tx, chunk, held, now);
      await this.loader.load(tx, { chunk, nodeIds, strict: true, source, wholeUpTo: null, now });
      return settled.size;
    });
  }

  /** What can't be stored any more stays in quarantine under its new reason. */
  private async holdUnreadable(tx: Transaction, chunk: DialogueChunk, held: readonly HeldRow[], now: Date): Promise<void> {
    for (const [row, { error, given }] of chunk.bad) {
      const { client_id: clientId, source, batch_key: batch, line } = held[row]!;
      const bad = unreadable({ bytes: Buffer.from(JSON.stringify(given)), line: Number(line), given }, error);
      await quarantine(tx, { clientId, source, kind: dialogueKind.name, batch, now, entropy: this.entropy }, [bad]);
    }
  }
}

function reread(row: HeldRow, now: number): Row<DialogueValues> {
  const bytes = Buffer.from(JSON.stringify(row.record));
  return { line: Number(row.line), bytes, terminated: true, ...readObject(dialogueKind, row.record, now) };
}

/** Rows that have an owner now, or can't be stored any more. */
function heldAndSettled(chunk: DialogueChunk, held: readonly HeldRow[]): HeldRow[] {
  return held.filter((_, row) => chunk.fate[row] !== Fate.REJECTED || chunk.bad.has(row));
}

/** Answers those that nobody else settled. */
async function markSettled(tx: Transaction, clientId: number, rows: readonly HeldRow[], now: Date): Promise<Set<string>> {
  const settled = await tx.query<{ quarantine_id: string }>(
    `UPDATE quarantine SET state = 'REQUEUED', resolved_at = $3 WHERE client_id = $1 AND quarantine_id = ANY($2::uuid[]) AND state = 'HELD'
     RETURNING quarantine_id`,
    [clientId, plainArray(rows.map((row) => row.quarantine_id)), now],
  );
  return new Set(settled.map((row) => row.quarantine_id));
}
