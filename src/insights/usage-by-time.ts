/** Usage over time, from the hour roll-up of exactly the scope asked for: as fast for a fleet of 100,000 as for one SIM. */
import { Field, ObjectType } from 'type-graphql';
import type { Transaction } from '../database/database';
import { ByteCountScalar, DateTimeScalar } from '../graphql/scalars';
import { bucketStart, bucketsBetween, type Granularity } from './usage-buckets';
import type { ResolvedScope } from './usage-scope';

@ObjectType({ description: 'Bytes of a span of time. `from` and `to` fit `usageBySim` as they are.' })
export class UsageBucket {
  @Field(() => DateTimeScalar, { description: 'Start of the bucket, UTC, inclusive.' })
  from: Date;
  @Field(() => DateTimeScalar, { description: 'End of the bucket, UTC, exclusive: `from` of the next.' })
  to: Date;
  @Field(() => ByteCountScalar, { description: 'Bytes sent by the devices; 0 in a bucket without usage.' })
  uplinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Bytes received by the devices; 0 in a bucket without usage.' })
  downlinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Both directions together.' })
  totalBytes: string;
}

interface HourRow {
  hour: Date;
  uplink: string;
  downlink: string;
}

/** One bucket after the other without holes; the first holds `from`, the last the moment before `to`. */
export async function usageByTime(
  transaction: Transaction,
  scope: ResolvedScope,
  from: Date,
  to: Date,
  granularity: Granularity,
): Promise<UsageBucket[]> {
  const buckets = bucketsBetween(from, to, granularity);
  const sums = new Map<number, { uplink: bigint; downlink: bigint }>();
  for (const row of await hoursOf(transaction, scope, buckets[0]!.from, buckets.at(-1)!.to)) {
    const start = bucketStart(row.hour, granularity).getTime();
    const sum = sums.get(start) ?? { uplink: 0n, downlink: 0n };
    sums.set(start, { uplink: sum.uplink + BigInt(row.uplink), downlink: sum.downlink + BigInt(row.downlink) });
  }
  return buckets.map((bucket) => {
    const { uplink, downlink } = sums.get(bucket.from.getTime()) ?? { uplink: 0n, downlink: 0n };
    return { ...bucket, uplinkBytes: uplink.toString(), downlinkBytes: downlink.toString(), totalBytes: (uplink + downlink).toString() };
  });
}

/** Hours with usage. Years of them are added up per day in SQL, so that at most a few thousand rows cross over. */
function hoursOf(transaction: Transaction, scope: ResolvedScope, from: Date, to: Date): Promise<HourRow[]> {
  const [table, condition, key] = sourceOf(scope);
  const longRange = to.getTime() - from.getTime() > 100 * 86_400_000;
  const hour = longRange ? `date_trunc('day', hour, 'UTC')` : 'hour';
  return transaction.query<HourRow>(
    `SELECT ${hour} AS hour, sum(uplink_bytes)::int8 AS uplink, sum(downlink_bytes)::int8 AS downlink FROM ${table}
     WHERE client_id = $1 AND hour >= $2 AND hour < $3 ${condition} GROUP BY 1`,
    [scope.clientId, from, to, ...key],
  );
}

function sourceOf(scope: ResolvedScope): [table: string, condition: string, key: string[]] {
  switch (scope.kind) {
    case 'CLIENT':
      return ['usage_client_hour', '', []];
    case 'FLEET':
      return ['usage_fleet_hour', 'AND fleet_id = $4', [scope.fleetId]];
    case 'SIM':
      return ['usage_sim_hour', 'AND sim_id = $4', [scope.simId]];
  }
}
