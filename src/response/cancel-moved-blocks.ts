/** When a SIM moves to another client its pending block is called off: who asked for it has no say over it any more. */
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
}
