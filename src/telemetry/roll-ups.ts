/** The roll-ups of usage: summed here from the rows really stored, then added to the tables in key order, so that parallel chunks can't deadlock. */
import type { Transaction } from '../database/database';
import { plainArray } from './array-literal';
import { dayOf, spreadOverHours } from './hours';

const MOST_INT8 = 9_223_372_036_854_775_807n;

interface Bytes {
  uplink: bigint;
  downlink: bigint;
}
interface SimDay extends Bytes {
  latestAt: number;
  fleetId: string | null;
}

export interface Contribution {
  readonly simId: string;
  readonly fleetId: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly uplinkBytes: bigint;
  readonly downlinkBytes: bigint;
}

export class UsageRollUps {
  private readonly simHours = new Map<string, Map<number, Bytes>>();
  private readonly simDays = new Map<string, Map<string, SimDay>>();
  private readonly fleetHours = new Map<string, Map<number, Bytes>>();
  private readonly clientHours = new Map<number, Bytes>();

  /** `sign` −1 takes a contribution back. */
  add(contribution: Contribution, sign: 1n | -1n = 1n): void {
    const { simId, fleetId, startedAt, endedAt, uplinkBytes, downlinkBytes } = contribution;
    const simHours = entry(this.simHours, simId, () => new Map<number, Bytes>());
    const fleetHours = fleetId === null ? null : entry(this.fleetHours, fleetId, () => new Map<number, Bytes>());
    for (const share of spreadOverHours(startedAt, endedAt, uplinkBytes, downlinkBytes)) {
      const uplink = sign * share.uplinkBytes;
      const downlink = sign * share.downlinkBytes;
      increase(simHours, share.hour, uplink, downlink);
      if (fleetHours) increase(fleetHours, share.hour, uplink, downlink);
      increase(this.clientHours, share.hour, uplink, downlink);
      const simDay = entry(
        entry(this.simDays, dayOf(share.hour), () => new Map<string, SimDay>()),
        simId,
        () => ({ uplink: 0n, downlink: 0n, latestAt: startedAt, fleetId }),
      );
      simDay.uplink += uplink;
      simDay.downlink += downlink;
      if (startedAt > simDay.latestAt || (startedAt === simDay.latestAt && (fleetId ?? '') > (simDay.fleetId ?? ''))) {
        simDay.latestAt = startedAt;
        simDay.fleetId = fleetId;
      }
    }
  }

  /** The days that any contribution touches, with their SIMs. */
  touched(): Map<string, string[]> {
    return new Map([...this.simDays].map(([day, sims]) => [day, [...sims.keys()]]));
  }

  async write(tx: Transaction, clientId: number): Promise<void> {
    if (this.clientHours.size === 0) return;
    await this.writeSimHours(tx, clientId);
    await this.writeSimDays(tx, clientId);
    await this.writeFleetHours(tx, clientId);
    await this.writeClientHours(tx, clientId);
  }

  private async writeSimHours(tx: Transaction, clientId: number): Promise<void> {
    const rows = [...this.simHours]
      .sort(([a], [b]) => byNumber(a, b))
      .flatMap(([simId, hours]) => [...hours].sort(([a], [b]) => a - b).map(([hour, bytes]) => ({ simId, hour, ...bytes })));
    await tx.query(
      `INSERT INTO usage_sim_hour AS kept (client_id, sim_id, hour, uplink_bytes, downlink_bytes)
       SELECT $1::int4, sim_id, hour, uplink, downlink FROM unnest($2::int8[], $3::timestamptz[], $4::int8[], $5::int8[]) AS added (sim_id, hour, uplink, downlink)
       ON CONFLICT (client_id, sim_id, hour) DO UPDATE SET ${sum('uplink_bytes')}, ${sum('downlink_bytes')}
       RETURNING 1 AS written`,
      [clientId, plainArray(rows.map((row) => row.simId)), instants(rows), bytesOf(rows, 'uplink'), bytesOf(rows, 'downlink')],
    );
  }

  private async writeSimDays(tx: Transaction, clientId: number): Promise<void> {
    const rows = [...this.simDays]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([day, sims]) => [...sims].sort(([a], [b]) => byNumber(a, b)).map(([simId, total]) => ({ day, simId, ...total })));
    await tx.query(
      `INSERT INTO usage_sim_day AS kept (client_id, day, sim_id, fleet_id, latest_at, uplink_bytes, downlink_bytes, total_bytes)
       SELECT $1::int4, day, sim_id, fleet_id, latest_at, uplink, downlink, total
         FROM unnest($2::date[], $3::int8[], $4::uuid[], $5::timestamptz[], $6::int8[], $7::int8[], $8::int8[])
              AS added (day, sim_id, fleet_id, latest_at, uplink, downlink, total)
       ON CONFLICT (client_id, day, sim_id) DO UPDATE SET ${sum('uplink_bytes')}, ${sum('downlink_bytes')}, ${sum('total_bytes')},
         fleet_id = CASE WHEN EXCLUDED.latest_at > kept.latest_at
                           OR (EXCLUDED.latest_at = kept.latest_at AND EXCLUDED.fleet_id IS NOT NULL AND (kept.fleet_id IS NULL OR EXCLUDED.fleet_id > kept.fleet_id))
                         THEN EXCLUDED.fleet_id ELSE kept.fleet_id END,
         latest_at = GREATEST(kept.latest_at, EXCLUDED.latest_at)
       RETURNING 1 AS written`,
      [
        clientId,
        plainArray(rows.map((row) => row.day)),
        plainArray(rows.map((row) => row.simId)),
        plainArray(rows.map((row) => row.fleetId)),
        plainArray(rows.map((row) => new Date(row.latestAt).toISOString())),
        bytesOf(rows, 'uplink'),
        bytesOf(rows, 'downlink'),
        plainArray(rows.map((row) => bounded(row.uplink + row.downlink))),
      ],
    );
  }

  private async writeFleetHours(tx: Transaction, clientId: number): Promise<void> {
    const rows = [...this.fleetHours]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([fleetId, hours]) => [...hours].sort(([a], [b]) => a - b).map(([hour, bytes]) => ({ fleetId, hour, ...bytes })));
    if (rows.length === 0) return;
    await tx.query(
      `INSERT INTO usage_fleet_hour AS kept (client_id, fleet_id, hour, uplink_bytes, downlink_bytes)
       SELECT $1::int4, fleet_id, hour, uplink, downlink FROM unnest($2::uuid[], $3::timestamptz[], $4::int8[], $5::int8[]) AS added (fleet_id, hour, uplink, downlink)
       ON CONFLICT (client_id, fleet_id, hour) DO UPDATE SET ${sum('uplink_bytes')}, ${sum('downlink_bytes')}
       RETURNING 1 AS written`,
      [clientId, plainArray(rows.map((row) => row.fleetId)), instants(rows), bytesOf(rows, 'uplink'), bytesOf(rows, 'downlink')],
    );
  }

  /** Last, since every chunk of the client wants the same few rows: they stay locked for the shortest time. */
  private async writeClientHours(tx: Transaction, clientId: number): Promise<void> {
    const rows = [...this.clientHours].sort(([a], [b]) => a - b).map(([hour, bytes]) => ({ hour, ...bytes }));
    await tx.query(
      `INSERT INTO usage_client_hour AS kept (client_id, hour, uplink_bytes, downlink_bytes)
       SELECT $1::int4, hour, uplink, downlink FROM unnest($2::timestamptz[], $3::int8[], $4::int8[]) AS added (hour, uplink, downlink)
       ON CONFLICT (client_id, hour) DO UPDATE SET ${sum('uplink_bytes')}, ${sum('downlink_bytes')}
       RETURNING 1 AS written`,
      [clientId, instants(rows), bytesOf(rows, 'uplink'), bytesOf(rows, 'downlink')],
    );
  }
}

/** Addition that stays at the greatest int8 instead of failing: absurd counts of one SIM must not keep a client's good rows out. */
function sum(column: string): string {
  return `${column} = LEAST(kept.${column}, ${MOST_INT8} - GREATEST(EXCLUDED.${column}, 0)) + EXCLUDED.${column}`;
}

function bounded(bytes: bigint): bigint {
  return bytes > MOST_INT8 ? MOST_INT8 : bytes;
}

function bytesOf(rows: readonly Bytes[], of: 'uplink' | 'downlink'): string {
  return plainArray(rows.map((row) => bounded(row[of])));
}

function instants(rows: readonly { readonly hour: number }[]): string {
  return plainArray(rows.map((row) => new Date(row.hour).toISOString()));
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function increase<Key>(map: Map<Key, Bytes>, key: Key, uplink: bigint, downlink: bigint): void {
  const bytes = entry(map, key, () => ({ uplink: 0n, downlink: 0n }));
  bytes.uplink += uplink;
  bytes.downlink += downlink;
}

/** Orders decimal numbers written as text. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
