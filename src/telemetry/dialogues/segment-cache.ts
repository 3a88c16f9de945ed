/** Segments of strict cells: read from the database in bounded portions, and kept in memory while their cells are in use. */
import type { Transaction } from '../../database/database';
import { plainArray } from '../array-literal';
import { dayText } from './dialogue-copy';
import type { Segment } from './segment-copy';

/** Cells belong to the operator: a SIM's number is unique across clients. */
export const CELL_CLIENT = 0;
const MOST_KEPT_BYTES = 128 * 1024 * 1024;
/** More than this isn't kept when it was read: a cell may be larger than memory. */
const MOST_READ_KEPT_BYTES = MOST_KEPT_BYTES / 2;
/** Bytes that are read at once. */
const PORTION_BYTES = 8 * 1024 * 1024;
const DAY_MILLISECONDS = 86_400_000;

interface Kept {
  /** The last segment that is known here; all before it are too. */
  upTo: number;
  readonly blocks: Int32Array[];
  bytes: number;
}

type LockedCell = Omit<Segment, 'identities'>;

interface Listed {
  readonly day: string;
  readonly cell: string;
  readonly segment: number;
  readonly size: number;
}

export class SegmentCache {
  /** Least recently used first. */
  private readonly cells = new Map<string, Kept>();
  private bytes = 0;

  /** Gives all identities that were put into these cells before: within a cell in the order in which they were. */
  async read(tx: Transaction, cells: readonly LockedCell[], take: (block: Int32Array) => void): Promise<void> {
    const missing: { readonly cell: LockedCell; readonly after: number }[] = [];
    for (const cell of cells) {
      // Ahead of the database: it was put back to an earlier state.
      if ((this.cells.get(nameOf(cell))?.upTo ?? 0) >= cell.segment) this.forget(nameOf(cell));
      const kept = this.cells.get(nameOf(cell));
      for (const block of kept?.blocks ?? []) take(block);
      const after = kept?.upTo ?? 0;
      if (after < cell.segment - 1) missing.push({ cell, after });
    }
    if (missing.length === 0) return;
    const listed = await list(tx, missing);
    const total = listed.reduce((sum, { size }) => sum + size, 0);
    const found = new Map(missing.map(({ cell }): [string, Int32Array[]] => [nameOf(cell), []]));
    for (let first = 0, next = 0; first < listed.length; first = next) {
      for (let bytes = 0; next < listed.length && (next === first || bytes + listed[next]!.size <= PORTION_BYTES); next++)
        bytes += listed[next]!.size;
      for (const { name, identities } of await load(tx, listed.slice(first, next))) {
        take(identities);
        if (total <= MOST_READ_KEPT_BYTES) found.get(name)!.push(identities);
      }
    }
    if (total > MOST_READ_KEPT_BYTES) return;
    tx.afterCommit(() => {
      for (const { cell, after } of missing) this.extend(cell, after, cell.segment - 1, found.get(nameOf(cell))!);
    });
  }

  /** To be called when the segment is committed. */
  keep(segment: Segment): void {
    this.extend(segment, segment.segment - 1, segment.segment, [segment.identities]);
  }

  /** Adds what came into the cell after one segment, up to another; nothing where the cell isn't known up to the first. */
  private extend(cell: LockedCell, after: number, upTo: number, blocks: readonly Int32Array[]): void {
    const name = nameOf(cell);
    const kept = this.cells.get(name) ?? { upTo: 0, blocks: [], bytes: 0 };
    if (kept.upTo !== after) return;
    this.cells.delete(name);
    this.cells.set(name, kept);
    kept.upTo = upTo;
    for (const block of blocks) {
      if (block.length > 0) kept.blocks.push(block);
      kept.bytes += block.byteLength;
      this.bytes += block.byteLength;
    }
    for (const oldest of this.cells.keys()) {
      if (this.bytes <= MOST_KEPT_BYTES) break;
      this.forget(oldest);
    }
  }

  private forget(name: string): void {
    this.bytes -= this.cells.get(name)?.bytes ?? 0;
    this.cells.delete(name);
  }
}

/** Names and sizes of the segments that aren't known here. */
function list(tx: Transaction, missing: readonly { readonly cell: LockedCell; readonly after: number }[]): Promise<Listed[]> {
  return tx.query<Listed>(
    `SELECT stored.day, stored.cell, stored.segment, octet_length(stored.identities) AS size
       FROM unnest($2::date[], $3::int8[], $4::int4[], $5::int4[]) AS given (day, cell, after, before)
       JOIN dialogue_segment stored ON stored.client_id = $1 AND stored.day = given.day AND stored.cell = given.cell
            AND stored.segment > given.after AND stored.segment < given.before
      WHERE stored.client_id = $1 AND stored.day = ANY($6::date[])
      ORDER BY stored.day, stored.cell, stored.segment`,
    [
      CELL_CLIENT,
      plainArray(missing.map(({ cell }) => dayText(cell.day))),
      plainArray(missing.map(({ cell }) => cell.cell)),
      plainArray(missing.map(({ after }) => after)),
      plainArray(missing.map(({ cell }) => cell.segment)),
      plainArray([...new Set(missing.map(({ cell }) => dayText(cell.day)))]),
    ],
  );
}

async function load(tx: Transaction, listed: readonly Listed[]): Promise<{ name: string; identities: Int32Array }[]> {
  const rows = await tx.query<{ day: string; cell: string; identities: Buffer }>(
    `SELECT stored.day, stored.cell, stored.identities
       FROM unnest($2::date[], $3::int8[], $4::int4[]) AS given (day, cell, segment)
       JOIN dialogue_segment stored ON stored.client_id = $1 AND stored.day = given.day AND stored.cell = given.cell
            AND stored.segment = given.segment
      WHERE stored.client_id = $1 AND stored.day = ANY($5::date[])
      ORDER BY stored.day, stored.cell, stored.segment`,
    [
      CELL_CLIENT,
      plainArray(listed.map(({ day }) => day)),
      plainArray(listed.map(({ cell }) => cell)),
      plainArray(listed.map(({ segment }) => segment)),
      plainArray([...new Set(listed.map(({ day }) => day))]),
    ],
  );
  return rows.map(({ day, cell, identities }) => {
    const words = new Int32Array(identities.length / 4);
    Buffer.from(words.buffer).set(identities);
    return { name: nameOf({ day: Date.parse(day) / DAY_MILLISECONDS, cell: Number(cell) }), identities: words };
  });
}

function nameOf({ day, cell }: Pick<LockedCell, 'day' | 'cell'>): string {
  return `${day} ${cell}`;
}
