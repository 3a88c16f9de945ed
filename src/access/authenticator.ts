/** Turns an `Authorization` header into a caller, and says when a caller's key was revoked, in every process, within a second. */
import { singleton } from 'tsyringe';
import { Config } from '../config';
import { Database } from '../database/database';
import { PokedLoop } from '../database/poked-loop';
import { Role, type Caller } from '../graphql/caller';
import { Clock, Log } from '../runtime';
import { findKey, noteUse, revokedSince, type ApiKeyRow } from './api-key-store';
import { looksLikeKey, sameHash, sha256 } from './key-format';
import { SingleFile } from './single-file';

/** How long a key is believed without asking the database: even if every poke were lost, a revoked key ends within it. */
const BELIEVED_MS = 1_000;
const POLL_MS = 1_000;
const MOST_BELIEVED = 10_000;
/** Strangers' keys that may wait to be looked up; beyond, they are told to come back. */
const MOST_STRANGERS = 200;
/** Revocations are looked for this far back, since clocks of processes differ. */
const LOOK_BACK_MS = 600_000;

const OPERATOR_CREDENTIAL = 'operator';

const configuredOperator: Caller = {
  role: Role.OPERATOR,
  clientId: 0,
  credentialId: OPERATOR_CREDENTIAL,
  credentialKind: 'API_KEY',
  name: 'operator',
  person: 'operator',
  expiresAt: null,
  fleetIds: null,
};

interface Believed {
  readonly caller: Caller;
  readonly until: number;
}

@singleton()
export class Authenticator {
  private readonly operatorHash: Buffer | null;
  private readonly believed = new Map<string, Believed>();
  /** Keys that were good here before. All others are looked up one at a time: a flood of invented keys must not take the database from these. */
  private readonly regulars = new Set<string>();
  private readonly strangers = new SingleFile(MOST_STRANGERS);
  private readonly listeners = new Set<(credentialId: string) => void>();
  /** Revocations told already, while they are still looked for. */
  private told = new Set<string>();
  private readonly loop: PokedLoop;
  /** Rises with every poke: what was read before one is not believed after it. */
  private pokes = 0;
  private endPokes: (() => void) | null = null;

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.operatorHash = config.operatorKey === null ? null : sha256(config.operatorKey);
    this.loop = new PokedLoop({
      name: 'access',
      database,
      channel: 'access',
      pollMilliseconds: POLL_MS,
      work: () => this.tellRevoked(),
      log,
    });
  }

  start(): void {
    this.endPokes ??= this.database.onPoke('access', () => this.forgetAll());
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.endPokes?.();
    this.endPokes = null;
    await this.loop.stop();
  }

  /** Tells the revocations that are due now. */
  drain(): Promise<void> {
    return this.loop.drain();
  }

  /** Calls `listener` with the credentialId of every key that was revoked (sockets close); answers the function that ends it. */
  onRevoked(listener: (credentialId: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The caller behind `Bearer <key>`; null for a missing, malformed, unknown, expired or revoked key. */
  async authenticate(authorizationHeader: string | undefined): Promise<Caller | null> {
    const key = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorizationHeader ?? '')?.[1];
    if (key === undefined) return null;
    const hash = sha256(key);
    if (this.operatorHash !== null && sameHash(hash, this.operatorHash)) return configuredOperator;
    if (!looksLikeKey(key)) return null;
    const caller = this.recall(hash) ?? (await this.askInTurn(hash));
    return caller !== null && !hasExpired(caller, this.clock.now()) ? caller : null;
  }

  private recall(hash: Buffer): Caller | null {
    const known = this.believed.get(hash.toString('hex'));
    return known !== undefined && this.clock.now().getTime() < known.until ? known.caller : null;
  }

  private async askInTurn(hash: Buffer): Promise<Caller | null> {
    const key = hash.toString('hex');
    if (this.regulars.has(key)) return this.ask(hash);
    const caller = await this.strangers.run(() => this.ask(hash));
    if (caller !== null) {
      if (this.regulars.size >= MOST_BELIEVED) this.regulars.clear();
      this.regulars.add(key);
    }
    return caller;
  }

  private async ask(hash: Buffer): Promise<Caller | null> {
    const asked = this.pokes;
    const now = this.clock.now();
    const row = await this.database.transaction({ name: 'access.authenticate', role: 'ingest' }, async (tx) => {
      const found = await findKey(tx, hash);
      if (!found || !sameHash(found.sha256, hash) || found.revoked_at !== null || isPast(found.expires_at, now)) return null;
      await noteUse(tx, found, now);
      return found;
    });
    if (!row) return null;
    const caller = callerOf(row);
    if (asked === this.pokes) this.believe(hash, caller, now);
    return caller;
  }

  private believe(hash: Buffer, caller: Caller, now: Date): void {
    if (this.believed.size >= MOST_BELIEVED) this.believed.clear();
    this.believed.set(hash.toString('hex'), { caller, until: now.getTime() + BELIEVED_MS });
  }

  private forgetAll(): void {
    this.pokes += 1;
    this.believed.clear();
  }

  private async tellRevoked(): Promise<boolean> {
    const since = new Date(this.clock.now().getTime() - LOOK_BACK_MS);
    const revoked = await this.database.transaction({ name: 'access.revoked', role: 'ingest', readOnly: true }, (tx) =>
      revokedSince(tx, since),
    );
    const news = revoked.filter((keyId) => !this.told.has(keyId));
    this.told = new Set(revoked);
    if (news.length > 0) this.forgetAll();
    for (const keyId of news) for (const listener of this.listeners) listener(keyId);
    return false;
  }
}

function callerOf(row: ApiKeyRow): Caller {
  return {
    role: row.role,
    clientId: row.client_id,
    credentialId: row.key_id,
    credentialKind: 'API_KEY',
    name: row.name,
    person: row.owner,
    expiresAt: row.expires_at,
    fleetIds: null,
  };
}

function hasExpired(caller: Caller, now: Date): boolean {
  return isPast(caller.expiresAt, now);
}

function isPast(instant: Date | null, now: Date): boolean {
  return instant !== null && instant <= now;
}
