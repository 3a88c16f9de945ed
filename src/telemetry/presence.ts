/** What was last seen of a SIM: by the greatest event time, equal times by the greater value, so that arrival order doesn't matter. */
import type { Transaction } from '../database/database';
import { plainArray, textArray } from './array-literal';
import type { ConnectionEventValues, RecordKind, TelemetryRecord } from './record-kind';

type Reachability = 'ONLINE' | 'ATTACHED' | 'OFFLINE';

/** What a connection event says about the SIM from then on. A refused session leaves it attached, a refused attachment doesn't. */
const REACHABILITY_AFTER: Readonly<Record<ConnectionEventValues['type'], Reachability>> = {
  ATTACHMENT_ACCEPTED: 'ATTACHED',
  ATTACHMENT_REJECTED: 'OFFLINE',
  ATTACHMENT_FAILED: 'OFFLINE',
  DETACHED: 'OFFLINE',
  DATA_SESSION_STARTED: 'ONLINE',
  DATA_SESSION_UPDATED: 'ONLINE',
  DATA_SESSION_ENDED: 'ATTACHED',
  DATA_SESSION_FAILED: 'ATTACHED',
};

interface Seen {
  readonly value: string;
  readonly at: number;
}

interface Presence {
  lastSeenAt: number;
  imei: Seen | null;
  plmn: Seen | null;
  rat: Seen | null;
  reachability: Seen | null;
}

export class Presences {
  private readonly sims = new Map<string, Presence>();

  add(kind: RecordKind, simId: string, record: TelemetryRecord): void {
    const values = record.values as {
      imei?: string | null;
      plmn?: string | null;
      rat?: string | null;
      type?: ConnectionEventValues['type'];
    };
    const at = record.endedAt;
    let presence = this.sims.get(simId);
    if (!presence) this.sims.set(simId, (presence = { lastSeenAt: at, imei: null, plmn: null, rat: null, reachability: null }));
    presence.lastSeenAt = Math.max(presence.lastSeenAt, at);
    presence.imei = later(presence.imei, values.imei, at);
    presence.plmn = later(presence.plmn, values.plmn, at);
    presence.rat = later(presence.rat, values.rat, at);
    if (kind.name === 'connection-events') presence.reachability = later(presence.reachability, REACHABILITY_AFTER[values.type!], at);
  }

  async write(tx: Transaction, clientId: number): Promise<void> {
    if (this.sims.size === 0) return;
    const rows = [...this.sims].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
    const texts = (of: 'imei' | 'plmn' | 'rat' | 'reachability'): string =>
      textArray(rows.map(([, presence]) => presence[of]?.value ?? null));
    const times = (of: 'imei' | 'plmn' | 'rat' | 'reachability'): string =>
      plainArray(rows.map(([, { [of]: seen }]) => (seen ? new Date(seen.at).toISOString() : null)));
    await tx.query(
      `INSERT INTO sim_presence AS kept (client_id, sim_id, last_seen_at, last_imei, last_imei_at, last_plmn, last_plmn_at, last_rat, last_rat_at,
                                         reachability, reachability_as_of)
       SELECT $1::int4, sim_id, seen_at, imei, imei_at, plmn, plmn_at, rat, rat_at, COALESCE(reachability, 'UNKNOWN'), reachability_at
         FROM unnest($2::int8[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[], $8::text[], $9::timestamptz[],
                     $10::text[], $11::timestamptz[])
              AS seen (sim_id, seen_at, imei, imei_at, plmn, plmn_at, rat, rat_at, reachability, reachability_at)
       ON CONFLICT (client_id, sim_id) DO UPDATE SET
         last_seen_at = GREATEST(kept.last_seen_at, EXCLUDED.last_seen_at),
         ${latest('last_imei', 'last_imei_at')}, ${latest('last_plmn', 'last_plmn_at')}, ${latest('last_rat', 'last_rat_at')},
         ${latest('reachability', 'reachability_as_of')}
       RETURNING 1 AS written`,
      [
        clientId,
        plainArray(rows.map(([simId]) => simId)),
        plainArray(rows.map(([, presence]) => new Date(presence.lastSeenAt).toISOString())),
        texts('imei'),
        times('imei'),
        texts('plmn'),
        times('plmn'),
        texts('rat'),
        times('rat'),
        texts('reachability'),
        times('reachability'),
      ],
    );
  }
}

function later(known: Seen | null, value: string | null | undefined, at: number): Seen | null {
  if (value === null || value === undefined) return known;
  return !known || at > known.at || (at === known.at && value > known.value) ? { value, at } : known;
}

function latest(value: string, at: string): string {
  const newer = `EXCLUDED.${at} IS NOT NULL AND (kept.${at} IS NULL OR EXCLUDED.${at} > kept.${at}
           OR (EXCLUDED.${at} = kept.${at} AND EXCLUDED.${value} COLLATE "C" > kept.${value} COLLATE "C"))`;
  return `${value} = CASE WHEN ${newer} THEN EXCLUDED.${value} ELSE kept.${value} END,
         ${at} = GREATEST(kept.${at}, EXCLUDED.${at})`;
}
