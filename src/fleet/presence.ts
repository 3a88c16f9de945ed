/** What was last seen of a SIM; telemetry writes it, and it is never shown without its time. */
import { Field, ObjectType } from 'type-graphql';
import { defineLoader } from '../graphql/context';
import { DateTimeScalar, ImeiScalar, PlmnScalar } from '../graphql/scalars';
import { batchByClient } from './client-batch';
import { ReachabilityState } from './states';

@ObjectType({ description: 'Whether the SIM could be reached, as of a moment.' })
export class Reachability {
  @Field(() => ReachabilityState, { description: 'What the network last said.' })
  state: ReachabilityState;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When that was so (event time); null where the state is UNKNOWN.' })
  asOf: Date | null;
}

@ObjectType({ description: 'The last that was seen of a SIM, by event time.' })
export class LastSeen {
  @Field(() => DateTimeScalar, { description: 'When any record or event of it occurred last.' })
  at: Date;
  @Field(() => ImeiScalar, { nullable: true, description: 'IMEI last reported; null: none yet.' })
  imei: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When that IMEI was reported.' })
  imeiAt: Date | null;
  @Field(() => PlmnScalar, { nullable: true, description: 'Network last used; null: none yet.' })
  plmn: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When that network was used.' })
  plmnAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Radio access last used: GERAN, UTRAN, EUTRAN, LTE_M, NB_IOT or NR; null: unknown.' })
  rat: string | null;
}

export interface Presence {
  readonly reachability: Reachability;
  readonly lastSeen: LastSeen;
}

interface PresenceRow {
  sim_id: string;
  last_seen_at: Date;
  last_imei: string | null;
  last_imei_at: Date | null;
  last_plmn: string | null;
  last_plmn_at: Date | null;
  last_rat: string | null;
  reachability: ReachabilityState;
  reachability_as_of: Date | null;
}

/** By `${clientId}:${simId}`; null where nothing was ever seen. */
export const presenceBySimLoader = defineLoader<string, Presence>('presenceBySim', (keys, context) =>
  batchByClient(keys, async (clientId, simIds) => {
    const rows = await context.read((tx) =>
      tx.query<PresenceRow>(
        `SELECT sim_id, last_seen_at, last_imei, last_imei_at, last_plmn, last_plmn_at, last_rat, reachability, reachability_as_of
         FROM sim_presence WHERE client_id = $1 AND sim_id = ANY($2::int8[])`,
        [clientId, simIds],
      ),
    );
    return new Map(rows.map((row) => [row.sim_id, presenceOf(row)]));
  }),
);

function presenceOf(row: PresenceRow): Presence {
  return {
    reachability: reachabilityOf(row),
    lastSeen: {
      at: row.last_seen_at,
      imei: row.last_imei,
      imeiAt: row.last_imei_at,
      plmn: row.last_plmn,
      plmnAt: row.last_plmn_at,
      rat: row.last_rat,
    },
  };
}

/** A state whose time is not known says nothing. */
function reachabilityOf(row: PresenceRow): Reachability {
  return row.reachability_as_of === null ? UNREACHED : { state: row.reachability, asOf: row.reachability_as_of };
}

export const UNREACHED: Reachability = { state: ReachabilityState.UNKNOWN, asOf: null };
