/** Puts the rows of a chunk whose owners are known into their leaf partitions, with what is kept beside them: counts, watermarks, identities. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { partitionName } from '../../database/partitions';
import type { Tail } from '../ledger';
import { rowError, textsOf } from '../parsing/column';
import { advanceWatermarks } from '../watermarks';
import { Fate, type DialogueChunk } from './dialogue-chunk';
import { dayText, DIALOGUE_COLUMNS, encodeDay, rowsByDay } from './dialogue-copy';
import { dialogueColumns, dialogueKind } from './dialogue-kind';
import { MOST_NEW_NODES, MOST_NODES, NodeNames } from './node-names';
import { SignalingCounts } from './signaling-counts';
import { takeBackDialogue, wasStrict } from './stored-tail';
import { StrictCells } from './strict-cells';

export interface Load {
  readonly chunk: DialogueChunk;
  /** By the chunk's ordinals of names. */
  readonly nodeIds: Int32Array;
  readonly strict: boolean;
  readonly source: string;
  /** Latest event of the source as a whole, epoch milliseconds; null where the sender doesn't speak for it. */
  readonly wholeUpTo: number | null;
  readonly now: Date;
}

/** Counters that are kept for the next chunk. */
const MOST_SPARE_COUNTS = 3;

@singleton()
export class DialogueLoader {
  private readonly spareCounts: SignalingCounts[] = [];

  constructor(
    private readonly database: Database,
    private readonly nodes: NodeNames,
    private readonly cells: StrictCells,
  ) {}

  /** Before the transaction: nodes that are new, partitions that are missing. Answers node ids by the chunk's ordinals of names. */
  async prepare(chunk: DialogueChunk, strict: boolean): Promise<Int32Array> {
    const nodeIds = await this.nodeIds(chunk);
    const days = [...rowsByDay(chunk).keys()].map(dayText);
    await this.database.ensurePartitions('dialogue', days);
    await this.database.ensurePartitions('signaling_part', days);
    if (strict) await this.cells.ensurePartitions(days);
    return nodeIds;
  }

  async load(tx: Transaction, { chunk, nodeIds, strict, source, wholeUpTo, now }: Load): Promise<void> {
    // Run again after a deadlock, it begins with all rows.
    for (let row = 0; row < chunk.rowCount; row++) if (chunk.fate[row] === Fate.DUPLICATE) chunk.fate[row] = Fate.STORED;
    if (strict) await this.cells.admit(tx, chunk, nodeIds);
    const latest = await this.copy(tx, chunk, nodeIds, now);
    if (wholeUpTo !== null) latest.set(0, wholeUpTo);
    await advanceWatermarks(tx, { source, kind: dialogueKind.name, now }, latest);
  }

  /** Client → latest event. */
  private async copy(tx: Transaction, chunk: DialogueChunk, nodeIds: Int32Array, now: Date): Promise<Map<number, number>> {
    const counts = this.spareCounts.pop() ?? new SignalingCounts();
    try {
      counts.clear();
      for (const day of rowsByDay(chunk).keys())
        await tx.copyBinary(partitionName('dialogue', dayText(day)), DIALOGUE_COLUMNS, encodeDay({ chunk, day, nodeIds, counts }));
      await counts.write(tx, now);
      return counts.latestByClient();
    } finally {
      if (this.spareCounts.length < MOST_SPARE_COUNTS) this.spareCounts.push(counts);
    }
  }

  /** Takes a dialogue back whose row turned out to be cut. */
  async takeBack(tx: Transaction, record: NonNullable<Tail['record']>, now: Date): Promise<void> {
    const dialogue = await takeBackDialogue(tx, record, now);
    if (wasStrict(record)) await this.cells.takeBack(tx, dialogue);
  }

  /** Only names of rows that are stored become nodes. */
  private async nodeIds(chunk: DialogueChunk): Promise<Int32Array> {
    const { pattern } = chunk;
    const { node } = chunk.patterns;
    const ids = new Int32Array(chunk.nodes.count + 1).fill(-1);
    const used = new Uint8Array(ids.length);
    for (let row = 0; row < chunk.rowCount; row++) if (chunk.fate[row] === Fate.STORED) used[node[pattern[row]!]!] = 1;
    const names = chunk.nodes.names();
    const known = await this.nodes.idsOf(names.filter((_, i) => used[i + 1] === 1));
    for (const [i, name] of names.entries()) ids[i + 1] = known.get(name) ?? -1;
    for (let row = 0; row < chunk.rowCount; row++) {
      const ordinal = node[pattern[row]!]!;
      if (chunk.fate[row] !== Fate.STORED || ordinal === 0 || ids[ordinal] !== -1) continue;
      chunk.fate[row] = Fate.REJECTED;
      chunk.bad.set(row, {
        error: rowError('TOO_MANY_NODES', { most: MOST_NEW_NODES, mostInAll: MOST_NODES }),
        given: textsOf(dialogueColumns, chunk.values(row)),
      });
    }
    return ids;
  }
}
