/** Ends blocks at a person's wish: one step, since it gives service back, yet through the outbox like everything the network is told. */
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import type { Actor, BlockActionResult } from './block-actions';
import { releaseSims, type Release } from './release-sims';

export async function unblockSims(transaction: Transaction, actor: Actor, release: Release): Promise<BlockActionResult> {
  const released = await releaseSims(transaction, actor, release);
  const done = released.results.filter((result) => result.error === null);
  if (release.dryRun || done.length === 0) return released;
  await recordAudit(transaction, actor, {
    clientId: release.clientId,
    action: 'unblockSim',
    subject: released.requestId ? `BlockRequest:${released.requestId}` : 'BlockRequest',
    detail: { sims: done.map((result) => result.simId), reason: release.reason },
  });
  return released;
}
