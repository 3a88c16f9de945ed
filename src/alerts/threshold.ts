/** A data limit: for each SIM, inherited from client or fleet, or for a total. */
import { Field, Float, ObjectType, registerEnumType } from 'type-graphql';
import { connectionOf } from '../graphql/connection';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { ByteCountScalar, DateTimeScalar } from '../graphql/scalars';

export enum ThresholdSubject {
  CLIENT = 'CLIENT',
  FLEET = 'FLEET',
  SIM = 'SIM',
}
registerEnumType(ThresholdSubject, {
  name: 'ThresholdSubject',
  description: "Whom a limit is set for. Of limits per SIM the most specific counts: the SIM's, else its fleet's, else the client's.",
  valuesConfig: { CLIENT: { description: 'The client.' }, FLEET: { description: 'One fleet.' }, SIM: { description: 'One SIM.' } },
});

export enum ThresholdMeasure {
  PER_SIM = 'PER_SIM',
  TOTAL = 'TOTAL',
}
registerEnumType(ThresholdMeasure, {
  name: 'ThresholdMeasure',
  description: 'What a limit is compared with.',
  valuesConfig: {
    PER_SIM: { description: 'The usage of each SIM by itself.' },
    TOTAL: { description: 'The usage of all SIMs of the fleet or client together.' },
  },
});

export enum ThresholdPeriod {
  DAY = 'DAY',
  MONTH = 'MONTH',
}
registerEnumType(ThresholdPeriod, {
  name: 'ThresholdPeriod',
  description: 'Over what time usage is summed.',
  valuesConfig: {
    DAY: { description: 'A UTC day.' },
    MONTH: { description: "A billing cycle: a month from the client's `billingCycleDay` on." },
  },
});

export interface ThresholdRow {
  readonly clientId: number;
  readonly thresholdId: string;
  readonly subject: ThresholdSubject;
  readonly subjectId: string;
  readonly measure: ThresholdMeasure;
  readonly period: ThresholdPeriod;
  readonly limitBytes: string;
  readonly warnPercent: number;
  readonly clearPercent: number;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

export const THRESHOLD_COLUMNS = `client_id AS "clientId", threshold_id AS "thresholdId", subject, subject_id AS "subjectId", measure, period,
  limit_bytes AS "limitBytes", warn_percent AS "warnPercent", clear_percent AS "clearPercent", updated_at AS "updatedAt", updated_by AS "updatedBy"`;

@ObjectType({ implements: Node, description: 'A data limit. Passing the warning raises a WARNING, passing the limit a CRITICAL alert.' })
export class Threshold extends Node {
  @Field(() => ThresholdSubject, { description: 'Whom it is set for.' })
  subject: ThresholdSubject;
  @Field(() => ThresholdMeasure, { description: 'What it is compared with.' })
  measure: ThresholdMeasure;
  @Field(() => ThresholdPeriod, { description: 'Over what time usage is summed.' })
  period: ThresholdPeriod;
  @Field(() => ByteCountScalar, { description: 'The limit in bytes, uplink and downlink together.' })
  limitBytes: string;
  @Field(() => Float, { description: 'Percent of the limit from which on it warns, 1 to 100.' })
  warnPercent: number;
  @Field(() => Float, { description: 'Percent of the limit below which an alert clears, 1 to 100.' })
  clearPercent: number;
  @Field(() => DateTimeScalar, { description: 'When it was last set.' })
  updatedAt: Date;
  @Field(() => String, { description: 'Who set it last.' })
  updatedBy: string;
  /** As stored; not part of the schema. */
  row: ThresholdRow;

  static of(row: ThresholdRow): Threshold {
    return Object.assign(new Threshold(), row, { row, id: toGlobalId('Threshold', row.clientId, row.thresholdId) });
  }
}

@ObjectType('ThresholdConnection', { description: 'A page of data limits.' })
export class ThresholdConnection extends connectionOf(Threshold, 'Threshold') {}
