/** What DESIGN 4.6 asks of every statement, so that the product can be distributed by client: a test database refuses what breaks it. */
import type { TransactionOptions } from '../../src/database/database';
import { readMigrations } from '../../src/database/migrations';

/** Tables that are distributed by client: a statement on one names the client as a parameter. */
export const tenantTables = readMigrations().flatMap(({ sql }) =>
  [...sql.matchAll(/^CALL protect_tenant_table\('(\w+)'/gm)].map((match) => match[1]!),
);

const onTenantTable = new RegExp(`\\b(?:FROM|JOIN|INTO|UPDATE|USING)\\s+(?:ONLY\\s+)?(${tenantTables.join('|')})(?:_\\d{8})?\\b`, 'i');
/** A comparison of client_id, or its place in the column list of an INSERT. */
const namesClient = /\bclient_id\s*(=|IN\b|>|<)|\(\s*(\w+\.)?client_id\b/i;
const changing = /\bnow\s*\(|\brandom\s*\(|\bgen_random_uuid\s*\(|\bclock_timestamp\s*\(|\bnextval\s*\(|\bDEFAULT\b|\bCURRENT_/i;
const volatile = /\brandom\s*\(|\bgen_random_uuid\s*\(|\bclock_timestamp\s*\(|\bnextval\s*\(/i;

interface Rule {
  readonly says: string;
  /** On tenant tables only, and not for the owner, who makes partitions. */
  readonly tenantTablesOnly?: true;
  /** What a test puts into the tables by itself (`test.seed`) needn't keep it. */
  readonly notForTests?: true;
  readonly broken: (sql: string, options: Pick<TransactionOptions, 'clientId'>) => boolean;
}

const rules: readonly Rule[] = [
  { says: 'no advisory locks: take a lease row', broken: (sql) => /\bpg_(try_)?advisory/i.test(sql) },
  { says: 'no set_config(): it never reaches a worker', broken: (sql) => /\bset_config\s*\(/i.test(sql) },
  { says: 'lists are read by keyset, not by OFFSET', broken: (sql) => /\bOFFSET\b/i.test(sql) },
  {
    says: 'DO UPDATE SET uses only EXCLUDED and columns: no sub-query, no DEFAULT, nothing that changes by itself',
    broken: (sql) =>
      [...sql.matchAll(/\bDO UPDATE SET (.*?)(?: WHERE | RETURNING |$)/gi)].some(
        ([, set]) => changing.test(set!) || /\(\s*SELECT\b/i.test(set!),
      ),
  },
  { says: 'UPDATE uses no volatile function', broken: (sql) => /^UPDATE\b/i.test(sql) && volatile.test(sql) },
  {
    says: 'SKIP LOCKED stands in a WITH … AS MATERIALIZED: a sub-query locks more rows than it returns',
    broken: (sql) => /\bSKIP LOCKED\b/i.test(sql) && /\b(UPDATE \w+ SET|DELETE FROM)\b/i.test(sql) && !/\bAS MATERIALIZED\b/i.test(sql),
  },
  {
    says: 'a statement of a transaction with a client carries client_id = $n',
    tenantTablesOnly: true,
    broken: (sql, options) => options.clientId !== undefined && !namesClient.test(sql),
  },
  {
    says: 'FOR UPDATE only within one client',
    tenantTablesOnly: true,
    broken: (sql) => /\bFOR (UPDATE|NO KEY UPDATE|SHARE)\b/i.test(sql) && !namesClient.test(sql),
  },
  {
    says: 'no LEFT JOIN over all clients',
    tenantTablesOnly: true,
    broken: (sql) => /\bLEFT (OUTER )?JOIN\b/i.test(sql) && !namesClient.test(sql),
  },
  {
    says: 'INSERT … SELECT has RETURNING',
    tenantTablesOnly: true,
    notForTests: true,
    broken: (sql) => /\bINSERT INTO\b[^;]*?\)\s*SELECT\b/i.test(sql) && !/\bRETURNING\b/i.test(sql),
  },
];

/** The rules that a statement breaks, in words. */
export function brokenRules(statement: string, options: Omit<TransactionOptions, 'name'> & { name?: string }): string[] {
  const sql = statement
    .replace(/--[^\n]*/g, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\s+/g, ' ')
    .trim();
  const onTenants = options.role !== 'owner' && onTenantTable.test(sql);
  const ofTest = options.name?.startsWith('test') ?? false;
  return rules
    .filter((rule) => (onTenants || !rule.tenantTablesOnly) && !(ofTest && rule.notForTests) && rule.broken(sql, options))
    .map(({ says }) => says);
}

/** The `onStatement` of test databases. */
export function refuseBrokenRules(sql: string, options: TransactionOptions): void {
  const broken = brokenRules(sql, options);
  if (broken.length > 0)
    throw new Error(`In transaction "${options.name}" a statement can't run on a cluster (DESIGN 4.6): ${broken.join('; ')}.\n${sql}`);
}
