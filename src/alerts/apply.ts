/** Changes stored alerts outside of detection: one path for operators, moves and incidents, so that each change is counted, announced and passed on. */
import { singleton } from 'tsyringe';
import type { Transaction } from '../database/database';
import { Entropy } from '../runtime';
import { announceAlerts, noteChange, type AlertChange } from './alert-change';
import type { AlertRecord } from './alert-record';
import { writeAlerts } from './alert-storage';

export interface Edited {
  readonly before: Readonly<AlertRecord>;
  readonly record: AlertRecord;
}

@singleton()
export class AlertWriter {
  constructor(private readonly entropy: Entropy) {}

  /** Writes the records that differ from what they were; they must be locked. Answers the changes, announced. */
  async write(tx: Transaction, clientId: number, edited: readonly Edited[], now: Date): Promise<AlertChange[]> {
    const changed = edited.flatMap(({ before, record }) => {
      const change = noteChange(before, record, false, now, () => this.entropy.uuid());
      return change ? [{ record, isNew: false, change }] : [];
    });
    if (changed.length === 0) return [];
    await writeAlerts(tx, clientId, changed);
    const changes = changed.map(({ change }) => change);
    await announceAlerts(tx, clientId, changes, now);
    return changes;
  }
}
