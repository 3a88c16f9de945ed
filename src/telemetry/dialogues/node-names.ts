/** Ids of network nodes: a name is stored once for all clients, and found in memory afterwards. */
import { singleton } from 'tsyringe';
import { Database } from '../../database/database';
import { Log } from '../../runtime';
import { textArray } from '../array-literal';

/** Names that one chunk may bring for the first time: a column of garbage must not fill the table. */
export const MOST_NEW_NODES = 10_000;
/** Names in all: several times what the world's networks have, and few enough to be held in memory. Chunks that come at once may pass it by what they bring. */
export const MOST_NODES = 100_000;

@singleton()
export class NodeNames {
  private readonly known = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly log: Log,
  ) {}

  /** Name → id; new names beyond the limits have none. */
  async idsOf(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const ids = new Map<string, number>();
    const take = (rows: readonly { readonly name: string; readonly node_id: number }[]): void => {
      for (const row of rows) ids.set(row.name, row.node_id);
    };
    for (const name of names) {
      const id = this.known.get(name);
      if (id !== undefined) ids.set(name, id);
    }
    if (ids.size < names.length) take(await this.find(names.filter((name) => !ids.has(name))));
    const fresh = names.filter((name) => !ids.has(name)).slice(0, MOST_NEW_NODES);
    if (fresh.length > 0) {
      take(await this.make(fresh));
      // Another transaction was quicker with these.
      const made = fresh.filter((name) => !ids.has(name));
      if (made.length > 0) take(await this.find(made));
    }
    this.remember(ids);
    return ids;
  }

  private find(names: readonly string[]): Promise<{ name: string; node_id: number }[]> {
    return this.database.transaction({ name: 'dialogues.nodes', role: 'ingest', readOnly: true }, (tx) =>
      tx.query('SELECT name, node_id FROM network_node WHERE name = ANY($1::text[])', [textArray(names)]),
    );
  }

  private async make(names: readonly string[]): Promise<{ name: string; node_id: number }[]> {
    const { made, refused } = await this.database.transaction({ name: 'dialogues.newNodes', role: 'ingest' }, async (tx) => {
      const [stored] = await tx.query<{ nodes: number }>('SELECT count(*)::int4 AS nodes FROM network_node');
      const taken = names.slice(0, Math.max(MOST_NODES - stored!.nodes, 0));
      const rows = await tx.query<{ name: string; node_id: number }>(
        `INSERT INTO network_node (node_id, name) SELECT nextval('network_node_id')::int4, name FROM unnest($1::text[]) AS given (name)
         ON CONFLICT (name) DO NOTHING RETURNING name, node_id`,
        [textArray([...taken].sort())],
      );
      return { made: rows, refused: names.length - taken.length };
    });
    if (refused > 0)
      this.log.logger.warn({ refused, most: MOST_NODES }, 'network nodes are as many as may be; dialogues with new ones are rejected');
    return made;
  }

  private remember(ids: ReadonlyMap<string, number>): void {
    if (this.known.size + ids.size > MOST_NODES) this.known.clear();
    for (const [name, id] of ids) this.known.set(name, id);
  }
}
