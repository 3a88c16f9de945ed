/** When a SIM moves to another client its pending block is called off, and so is a set time to restore it: who asked has no say over it any more. */
import { singleton } from 'tsyringe';
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import { BlockState, SimMoveListener, type SimMove } from '../fleet';
import { Clock, Entropy } from '../runtime';
import { releaseSims } from './release-sims';
import { lockSims } from './sim-block-state';

const PENDING: readonly BlockState[] = [BlockState.BLOCK_REQUESTED, BlockState.BLOCKING];

@singleton()
export class CancelMovedBlocks extends SimMoveListener {
  constructor(
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {
    super();
  }

  /** A block that the network holds goes along with the SIM; one that it may just be carrying out becomes UNBLOCKING here, which the move waits for. */
  async simMoved(transaction: Transaction, move: SimMove): Promise<void> {
    const { clientId, simId } = move;
    const [sim] = await lockSims(transaction, clientId, [simId]);
    if (sim?.blockState === BlockState.BLOCKED) await this.callOffRestore(transaction, move, sim.blockRequestId);
    if (!sim || !PENDING.includes(sim.blockState)) return;
    const actor = { caller: move.by, clock: this.clock, entropy: this.entropy };
    const { results } = await releaseSims(transaction, actor, { clientId, simIds: [simId], reason: 'The SIM moved to another client.' });
    await recordAudit(transaction, actor, {
      clientId,
      action: 'cancelMovedBlock',
      subject: `Sim:${simId}`,
      detail: { state: results[0]!.state },
    });
  }
  /**
   * The restoring message finds the SIM closed and leaves it alone; the new owner has a blocked SIM and releases it when it wants to, so that no
   * timetable of somebody else gives a device service that may have been stolen. The old owner's log says that its timetable ended here.
   */
  private async callOffRestore(transaction: Transaction, { clientId, simId, by }: SimMove, requestId: string | null): Promise<void> {
    const [request] = await transaction.query<{ restore_at: Date }>(
      'SELECT restore_at FROM block_request WHERE client_id = $1 AND request_id = $2 AND restore_at > $3',
      [clientId, requestId, this.clock.now()],
    );
    if (!request) return;
    await recordAudit(
      transaction,
      { caller: by, clock: this.clock, entropy: this.entropy },
      { clientId, action: 'callOffRestore', subject: `Sim:${simId}`, detail: { request: requestId, restoreAt: request.restore_at } },
    );
  }
}
