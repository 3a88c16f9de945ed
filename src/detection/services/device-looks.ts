/** Looks at the devices of several clients' suspicious hours together, when the first client asks: a day that is open is read whole each time. */
import type { Database } from '../../database/database';
import type { Day } from '../days';
import { lookAtDevices, suspiciousOf, type DayToCount, type SeenDevices } from './count-hours';

const READ_MILLISECONDS = 600_000;

export class DeviceLooks {
  private seen: Promise<SeenDevices> | null = null;

  constructor(
    private readonly database: Database,
    private readonly day: Day,
    private readonly days: readonly DayToCount[],
  ) {}

  /** Of all of the clients. */
  read(): Promise<SeenDevices> {
    return (this.seen ??= this.look(this.days.filter((day) => suspiciousOf(day).length > 0)));
  }

  private async look(suspicious: readonly DayToCount[]): Promise<SeenDevices> {
    if (suspicious.length === 0) return new Map();
    // of several: one of the few reads over clients, filtered to these
    const options = { name: 'services.count', role: 'ingest', readOnly: true, statementTimeoutMs: READ_MILLISECONDS } as const;
    const own = suspicious.length === 1 ? { clientId: suspicious[0]!.clientId } : {};
    return this.database.transaction({ ...options, ...own }, (tx) => lookAtDevices(tx, this.day, suspicious));
  }
}
