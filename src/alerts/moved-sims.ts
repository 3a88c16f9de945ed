/** When a SIM moves to another client, its alerts end here: nobody at the old client can do anything about it any more. */
import { injectAll, singleton } from 'tsyringe';
import type { Transaction } from '../database/database';
import { SimMoveListener, type SimMove } from '../fleet';
import { Clock } from '../runtime';
import { AlertWriter } from './apply';
import { selectAlertColumns, type AlertRecord } from './alert-record';
import { AlertResolution, nextAlertState } from './lifecycle';
import { AlertChangeListener } from './ports';

@singleton()
export class ResolveMovedSims extends SimMoveListener {
  constructor(
    private readonly writer: AlertWriter,
    private readonly clock: Clock,
    @injectAll(AlertChangeListener as never, { isOptional: true }) private readonly listeners: AlertChangeListener[],
  ) {
    super();
  }

  async simMoved(tx: Transaction, move: SimMove): Promise<void> {
    const { clientId, simId, at, by } = move;
    const records = await tx.query<AlertRecord>(
      `SELECT ${selectAlertColumns()} FROM alert WHERE client_id = $1 AND sim_id = $2 AND state <> 'RESOLVED' ORDER BY alert_id FOR UPDATE`,
      [clientId, simId],
    );
    const edited = records.map((before) => {
      const record = {
        ...before,
        state: nextAlertState(before.state, 'move'),
        resolution: AlertResolution.MOVED,
        resolvedAt: at,
        resolvedBy: by.name,
        dismissedUntil: null,
      };
      return { before, record };
    });
    const now = this.clock.now();
    const changes = await this.writer.write(tx, clientId, edited, now);
    if (changes.length === 0) return;
    for (const listener of this.listeners) await listener.alertsChanged(tx, changes, now);
  }
}
