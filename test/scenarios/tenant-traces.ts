/** By what a tenant would be recognised in somebody else's answer, and whether its rows changed. */
import { createHash } from 'node:crypto';
import type { Database, Transaction } from '../../src/database/database';
import { parseGlobalId } from '../../src/graphql/global-id';
import { BRAVO_SIM_IDS_FROM, type Tenant } from './two-tenants';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Tables that hold rows of tenants; partitions are seen through their parents. */
export async function tablesOfTenants(database: Database): Promise<string[]> {
  const rows = await asOperator(database, (tx) =>
    tx.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'client_id' AND NOT attisdropped
       WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY relname`,
    ),
  );
  return rows.map(({ name }) => name);
}

/** Every row of a client, as text, by table. */
async function rowsOf(database: Database, clientId: number): Promise<Map<string, string[]>> {
  const tables = await tablesOfTenants(database);
  return asOperator(database, async (tx) => {
    const found = new Map<string, string[]>();
    for (const table of tables) {
      const rows = await tx.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${table} AS t WHERE t.client_id = $1`, [clientId]);
      found.set(table, rows.map(({ row }) => row).sort());
    }
    return found;
  });
}

export async function countsOf(database: Database, clientId: number): Promise<Record<string, number>> {
  return Object.fromEntries([...(await rowsOf(database, clientId))].map(([table, rows]) => [table, rows.length]));
}

/** One hash for each table of a client. */
export async function digestOf(database: Database, clientId: number): Promise<Record<string, string>> {
  const digests = [...(await rowsOf(database, clientId))].map(([table, rows]) => [
    table,
    createHash('sha256').update(rows.join('\n')).digest('hex'),
  ]);
  return Object.fromEntries(digests) as Record<string, string>;
}

function asOperator<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return database.transaction({ name: 'test.look', role: 'operator' }, work);
}

/** Recognises bravo in an answer: by its mark, its identifiers, its uuids and its SIMs' numbers, also inside opaque ids and cursors. */
export class BravoTraces {
  private constructor(
    private readonly tenant: Tenant,
    private readonly uuids: ReadonlySet<string>,
  ) {}

  static async collect(database: Database, bravo: Tenant, alfa: Tenant): Promise<BravoTraces> {
    const uuidsOf = async (clientId: number): Promise<Set<string>> =>
      new Set([...(await rowsOf(database, clientId)).values()].flatMap((rows) => rows.flatMap((row) => row.match(UUID) ?? [])));
    const others = new Set([...(await uuidsOf(alfa.clientId)), ...(await uuidsOf(0))]);
    return new BravoTraces(bravo, new Set([...(await uuidsOf(bravo.clientId))].filter((uuid) => !others.has(uuid))));
  }

  /** What of bravo is in the text; null where nothing is. */
  in(text: string): string | null {
    const opaque = [...text.matchAll(/[A-Za-z0-9_-]{8,1400}/g)].map(([token]) => ({
      token,
      plain: Buffer.from(token, 'base64url').toString('utf8'),
    }));
    const ids = opaque.find(({ token }) => parseGlobalId(token)?.clientId === this.tenant.clientId);
    return ids?.plain ?? this.inPlain(text) ?? opaque.map(({ plain }) => this.inPlain(plain)).find((trace) => trace !== null) ?? null;
  }

  private inPlain(text: string): string | null {
    const words = [
      this.tenant.mark,
      ...this.tenant.sims.flatMap(({ iccid, imsi, msisdn, imei }) => [iccid, imsi, msisdn, imei.slice(0, 14)]),
    ];
    const word = words.find((one) => text.toLowerCase().includes(one));
    const uuid = (text.match(UUID) ?? []).find((one) => this.uuids.has(one));
    const number = new RegExp(`\\b${String(BRAVO_SIM_IDS_FROM).slice(0, 8)}\\d\\d\\b`).exec(text)?.[0];
    return word ?? uuid ?? number ?? null;
  }
}
