/** API keys in the database. A key is found through the directory, so a caller needs not say whose it is. */
import type { Transaction } from '../database/database';
import type { Role } from '../graphql/caller';

export interface ApiKeyRow {
  readonly client_id: number;
  readonly key_id: string;
  readonly prefix: string;
  readonly sha256: Buffer;
  readonly role: Role;
  readonly name: string;
  readonly owner: string;
  readonly created_at: Date;
  readonly created_by: string;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

export const API_KEY_COLUMNS =
  'client_id, key_id, prefix, sha256, role, name, owner, created_at, created_by, expires_at, revoked_at, last_used_at';

/** last_used_at is exact to this. */
const USE_NOTED_EVERY_MS = 60_000;

export type NewApiKeyRow = Omit<ApiKeyRow, 'revoked_at' | 'last_used_at'>;

export async function insertKey(tx: Transaction, key: NewApiKeyRow): Promise<ApiKeyRow> {
  const [row] = await tx.query<ApiKeyRow>(
    `INSERT INTO api_key (client_id, key_id, prefix, sha256, role, name, owner, created_at, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${API_KEY_COLUMNS}`,
    [key.client_id, key.key_id, key.prefix, key.sha256, key.role, key.name, key.owner, key.created_at, key.created_by, key.expires_at],
  );
  return row!;
}

/** Makes a key findable; needs the ingest or operator role. Until then it opens nothing. */
export async function publishKey(tx: Transaction, clientId: number, sha256: Buffer): Promise<void> {
  await tx.query(
    `INSERT INTO directory (kind, value, valid_from, client_id) VALUES ('API_KEY', $1, 'epoch', $2) ON CONFLICT DO NOTHING RETURNING value`,
    [sha256.toString('hex'), clientId],
  );
}

export async function findKey(tx: Transaction, sha256: Buffer): Promise<ApiKeyRow | null> {
  const [entry] = await tx.query<{ client_id: number }>(
    `SELECT client_id FROM directory WHERE kind = 'API_KEY' AND value = $1 AND valid_to IS NULL`,
    [sha256.toString('hex')],
  );
  if (!entry) return null;
  const [row] = await tx.query<ApiKeyRow>(`SELECT ${API_KEY_COLUMNS} FROM api_key WHERE client_id = $1 AND sha256 = $2`, [
    entry.client_id,
    sha256,
  ]);
  return row ?? null;
}

/** Notes the use of a key, at most once a minute. */
export async function noteUse(tx: Transaction, key: ApiKeyRow, now: Date): Promise<void> {
  const due = new Date(now.getTime() - USE_NOTED_EVERY_MS);
  if (key.last_used_at !== null && key.last_used_at > due) return;
  await tx.query(
    'UPDATE api_key SET last_used_at = $3 WHERE client_id = $1 AND key_id = $2 AND (last_used_at IS NULL OR last_used_at <= $4) RETURNING key_id',
    [key.client_id, key.key_id, now, due],
  );
}

/** Ends a key; answers it as it is now and whether this call ended it, or null where there is none. */
export async function revokeKey(
  tx: Transaction,
  clientId: number,
  keyId: string,
  now: Date,
): Promise<{ row: ApiKeyRow; ended: boolean } | null> {
  const [ended] = await tx.query<ApiKeyRow>(
    `UPDATE api_key SET revoked_at = $3 WHERE client_id = $1 AND key_id = $2 AND revoked_at IS NULL RETURNING ${API_KEY_COLUMNS}`,
    [clientId, keyId, now],
  );
  if (ended) {
    tx.poke('access');
    return { row: ended, ended: true };
  }
  const [row] = await tx.query<ApiKeyRow>(`SELECT ${API_KEY_COLUMNS} FROM api_key WHERE client_id = $1 AND key_id = $2`, [clientId, keyId]);
  return row ? { row, ended: false } : null;
}

/** Keys of any client revoked since then: one of the few reads across clients. */
export async function revokedSince(tx: Transaction, since: Date): Promise<string[]> {
  const rows = await tx.query<{ key_id: string }>('SELECT key_id FROM api_key WHERE revoked_at >= $1', [since]);
  return rows.map((row) => row.key_id);
}
