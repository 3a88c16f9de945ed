/** Makes and ends API keys. The secret is answered once; what is stored can't be turned back into it. */
import { singleton } from 'tsyringe';
import { Config } from '../config';
import { Database, type Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator, Role, type Caller } from '../graphql/caller';
import { Clock, Entropy } from '../runtime';
import { insertKey, publishKey, revokeKey, type ApiKeyRow } from './api-key-store';
import { recordAudit } from './audit';
import { newKey } from './key-format';

export interface NewApiKey {
  /** 0 for an operator's key. */
  readonly clientId: number;
  readonly role: Role;
  readonly name: string;
  readonly owner: string;
  readonly expiresAt: Date | null;
}

/** Runs work in a transaction of its own under the caller's role. */
export type Write = <T>(name: string, clientId: number, work: (tx: Transaction) => Promise<T>) => Promise<T>;

@singleton()
export class ApiKeys {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /** Makes a key. Its row comes first, under the caller's own rights; then the directory, which customers can't write: until then it opens nothing. */
  async create(wanted: NewApiKey, by: Caller, write: Write): Promise<{ row: ApiKeyRow; secret: string }> {
    requireGrantable(wanted, by, this.clock.now());
    const key = newKey(this.entropy);
    const row = await write('access.createKey', wanted.clientId, async (tx) => {
      await requireClient(tx, wanted.clientId);
      const created = await insertKey(tx, {
        client_id: wanted.clientId,
        key_id: this.entropy.uuid(),
        prefix: key.prefix,
        sha256: key.sha256,
        role: wanted.role,
        name: wanted.name,
        owner: wanted.owner,
        created_at: this.clock.now(),
        created_by: by.name,
        expires_at: wanted.expiresAt,
      });
      await recordAudit(
        tx,
        { caller: by, clock: this.clock, entropy: this.entropy },
        {
          clientId: wanted.clientId,
          action: 'createApiKey',
          subject: `ApiKey:${created.key_id}`,
          detail: { prefix: key.prefix, role: wanted.role, name: wanted.name, owner: wanted.owner, expiresAt: wanted.expiresAt },
        },
      );
      return created;
    });
    await this.database.transaction({ name: 'access.publishKey', role: 'ingest' }, (tx) => publishKey(tx, wanted.clientId, key.sha256));
    return { row, secret: key.secret };
  }

  /** Ends a key; ending it again changes nothing. Throws NOT_FOUND. */
  async revoke(clientId: number, keyId: string, by: Caller, write: Write): Promise<ApiKeyRow> {
    return write('access.revokeKey', clientId, async (tx) => {
      const revoked = await revokeKey(tx, clientId, keyId, this.clock.now());
      if (!revoked) throw new SimwardenError('NOT_FOUND', { what: 'API key' }, ['apiKey']);
      if (revoked.ended) {
        await recordAudit(
          tx,
          { caller: by, clock: this.clock, entropy: this.entropy },
          {
            clientId,
            action: 'revokeApiKey',
            subject: `ApiKey:${keyId}`,
            detail: { prefix: revoked.row.prefix, name: revoked.row.name },
          },
        );
      }
      return revoked.row;
    });
  }
}

/** Nobody hands out more than they have: a client's admin makes keys of its own client, never an operator's. */
function requireGrantable(wanted: NewApiKey, by: Caller, now: Date): void {
  const forOperator = wanted.role === Role.OPERATOR;
  if (forOperator && !isOperator(by))
    throw new SimwardenError('FORBIDDEN', { role: by.role, field: 'createApiKey(role: OPERATOR)', allowed: Role.OPERATOR });
  if (!isOperator(by) && wanted.clientId !== by.clientId) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
  if (forOperator !== (wanted.clientId === 0)) {
    throw forOperator
      ? new SimwardenError('BAD_USER_INPUT', { what: 'A key with the role OPERATOR belongs to no client: leave `client` out.' }, ['client'])
      : new SimwardenError('CLIENT_REQUIRED', {}, ['client']);
  }
  if (wanted.expiresAt !== null && wanted.expiresAt <= now) {
    throw new SimwardenError('BAD_USER_INPUT', { what: `expiresAt ${wanted.expiresAt.toISOString()} is not in the future.` }, [
      'expiresAt',
    ]);
  }
}

async function requireClient(tx: Transaction, clientId: number): Promise<void> {
  const rows = await tx.query('SELECT client_id FROM client WHERE client_id = $1', [clientId]);
  if (rows.length === 0 && clientId !== 0) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
}

/**
 * The way in at the first start: where no operator key is configured and none is valid in the database, makes one and answers its secret, for
 * the caller to print once; else null. Of several processes that start at once, one makes it.
 */
export async function ensureOperatorKey(config: Config, database: Database, clock: Clock, entropy: Entropy): Promise<string | null> {
  if (config.operatorKey !== null) return null;
  return database.transaction({ name: 'access.ensureOperatorKey', role: 'operator', clientId: 0 }, async (tx) => {
    await tx.query('SELECT client_id FROM client WHERE client_id = $1 FOR UPDATE', [0]);
    const now = clock.now();
    const valid = await tx.query(
      `SELECT key_id FROM api_key WHERE client_id = $1 AND role = 'OPERATOR' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) LIMIT 1`,
      [0, now],
    );
    if (valid.length > 0) return null;
    const key = newKey(entropy);
    const keyId = entropy.uuid();
    await insertKey(tx, {
      client_id: 0,
      key_id: keyId,
      prefix: key.prefix,
      sha256: key.sha256,
      role: Role.OPERATOR,
      name: 'first operator key',
      owner: 'operator',
      created_at: now,
      created_by: 'first start',
      expires_at: null,
    });
    await publishKey(tx, 0, key.sha256);
    await recordAudit(
      tx,
      { caller: { name: 'first start', person: 'operator' }, clock, entropy },
      {
        clientId: 0,
        action: 'createApiKey',
        subject: `ApiKey:${keyId}`,
        detail: { prefix: key.prefix, role: Role.OPERATOR },
      },
    );
    return key.secret;
  });
}
