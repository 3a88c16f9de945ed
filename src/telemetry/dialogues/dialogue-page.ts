/** Pages of one SIM's dialogues, latest first. Equal times are told apart by the row's place in its leaf, which nothing moves. */
import type { Transaction } from '../../database/database';
import { SimwardenError } from '../../errors';
import { decodeCursor, type PageArgs } from '../../graphql/connection';
import { plainArray } from '../array-literal';
import { OUTCOMES, plmnCode, PROCEDURES, PROTOCOLS, type Outcome, type Procedure, type Protocol } from '../dialogue-codes';
import { dayOf } from '../hours';

export interface DialogueRow {
  readonly client_id: number;
  readonly sim_id: string;
  readonly started_at: Date;
  readonly duration_ms: number | null;
  readonly protocol: number;
  readonly procedure: number;
  readonly origin: number;
  readonly outcome: number;
  readonly result_code: number | null;
  readonly plmn: number | null;
  readonly node: string | null;
  readonly cancellation_type: number | null;
  readonly format_violation: boolean;
  readonly place: string;
}

export interface DialogueConditions {
  readonly from?: Date | null;
  readonly to?: Date | null;
  readonly procedures?: readonly Procedure[] | null;
  readonly outcomes?: readonly Outcome[] | null;
  readonly protocols?: readonly Protocol[] | null;
  readonly plmn?: string | null;
}

interface Owner {
  readonly clientId: number;
  readonly simId: string;
}

/** One row more than the page has. */
export function readDialogues(tx: Transaction, sim: Owner, filter: DialogueConditions, page: PageArgs): Promise<DialogueRow[]> {
  const where = conditions(sim, filter);
  if (page.after) {
    const [at, place] = decodeCursor(page.after, ['instant', 'text']) as [string, string];
    if (!/^\(\d{1,10},\d{1,5}\)$/.test(place)) throw new SimwardenError('BAD_CURSOR', { given: page.after.slice(0, 80) });
    where.and('(started_at, dialogue.ctid) < (?::timestamptz, ?::tid)', at, place);
    where.and('day <= ?::date', at.slice(0, 10));
  }
  return tx.query<DialogueRow>(
    `SELECT client_id, sim_id, started_at, duration_ms, protocol, procedure, origin, outcome, result_code, plmn, name AS node, cancellation_type,
            format_violation, dialogue.ctid::text AS place
       FROM dialogue LEFT JOIN network_node USING (node_id) WHERE ${where.text()} ORDER BY started_at DESC, dialogue.ctid DESC LIMIT ${page.first + 1}`,
    where.parameters,
  );
}

export async function countDialogues(tx: Transaction, sim: Owner, filter: DialogueConditions): Promise<number> {
  const where = conditions(sim, filter);
  const [row] = await tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM dialogue WHERE ${where.text()}`, where.parameters);
  return row!.count;
}

class Conditions {
  readonly parameters: unknown[] = [];
  private readonly found: string[] = [];

  and(condition: string, ...values: unknown[]): void {
    let next = this.parameters.length;
    this.parameters.push(...values);
    this.found.push(condition.replace(/\?/g, () => `$${++next}`));
  }

  text(): string {
    return this.found.join(' AND ');
  }
}

/** The day is named beside the time, since partitions are chosen by it. */
function conditions({ clientId, simId }: Owner, { from, to, procedures, outcomes, protocols, plmn }: DialogueConditions): Conditions {
  const where = new Conditions();
  where.and('client_id = ? AND sim_id = ?', clientId, simId);
  if (from) where.and('started_at >= ? AND day >= ?::date', from, dayOf(from.getTime()));
  if (to) where.and('started_at < ? AND day <= ?::date', to, dayOf(to.getTime()));
  if (procedures) where.and('procedure = ANY(?::int2[])', codesOf(PROCEDURES, procedures));
  if (outcomes) where.and('outcome = ANY(?::int2[])', codesOf(OUTCOMES, outcomes));
  if (protocols) where.and('protocol = ANY(?::int2[])', codesOf(PROTOCOLS, protocols));
  if (plmn) where.and('plmn = ?', plmnCode(plmn));
  return where;
}

function codesOf<Name extends string>(names: readonly Name[], given: readonly Name[]): string {
  return plainArray(given.map((name) => names.indexOf(name) + 1));
}
