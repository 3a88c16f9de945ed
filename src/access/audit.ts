/** The audit log: one row per change, in the transaction of the change. */
import type { Transaction } from '../database/database';
import type { Caller } from '../graphql/caller';
import type { Clock, Entropy } from '../runtime';

export interface AuditEntry {
  readonly clientId: number;
  /** What was done, named as the mutation: `bindImei`. */
  readonly action: string;
  /** What it was done to: `Sim:42`. */
  readonly subject: string;
  /** The change in plain values; never a secret. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function recordAudit(
  transaction: Transaction,
  by: { readonly caller: Pick<Caller, 'name' | 'person'>; readonly clock: Clock; readonly entropy: Entropy },
  entry: AuditEntry,
): Promise<void> {
  await transaction.query(
    `INSERT INTO audit_log (client_id, audit_id, at, principal, person, action, subject, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)`,
    [
      entry.clientId,
      by.entropy.uuid(),
      by.clock.now(),
      by.caller.name,
      by.caller.person,
      entry.action,
      entry.subject,
      JSON.stringify(entry.detail),
    ],
  );
}
