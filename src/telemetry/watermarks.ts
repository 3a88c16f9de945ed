/** How far each source is: the latest event time it delivered. A SIM is never called silent while its source is late. */
import type { Transaction } from '../database/database';
import { plainArray } from './array-literal';

export interface WatermarkScope {
  readonly clientId: number;
  readonly source: string;
  readonly kind: string;
  readonly now: Date;
}

/** `latest`: epoch milliseconds of the latest event. The watermark only rises. */
export async function advanceWatermark(tx: Transaction, scope: WatermarkScope, latest: number): Promise<void> {
  await tx.query(
    `INSERT INTO source_watermark AS kept (client_id, source, kind, watermark, last_received_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (client_id, source, kind) DO UPDATE SET
       watermark = GREATEST(kept.watermark, EXCLUDED.watermark), last_received_at = GREATEST(kept.last_received_at, EXCLUDED.last_received_at)`,
    [scope.clientId, scope.source, scope.kind, new Date(latest), scope.now],
  );
}

/** The same for many clients at once: client → latest event. */
export async function advanceWatermarks(
  tx: Transaction,
  { source, kind, now }: Omit<WatermarkScope, 'clientId'>,
  latest: ReadonlyMap<number, number>,
): Promise<void> {
  if (latest.size === 0) return;
  const clients = [...latest].sort(([a], [b]) => a - b);
  await tx.query(
    `INSERT INTO source_watermark AS kept (client_id, source, kind, watermark, last_received_at)
     SELECT client_id, $1::text, $2::text, watermark, $3::timestamptz FROM unnest($4::int4[], $5::timestamptz[]) AS given (client_id, watermark)
     ON CONFLICT (client_id, source, kind) DO UPDATE SET
       watermark = GREATEST(kept.watermark, EXCLUDED.watermark), last_received_at = GREATEST(kept.last_received_at, EXCLUDED.last_received_at)
     RETURNING 1 AS written`,
    [
      source,
      kind,
      now,
      plainArray(clients.map(([clientId]) => clientId)),
      plainArray(clients.map(([, milliseconds]) => new Date(milliseconds).toISOString())),
    ],
  );
}
