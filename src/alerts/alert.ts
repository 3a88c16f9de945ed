/** An alert as GraphQL shows it. */
import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Severity } from '../detector';
import { countryOf, type SubjectKind } from '../detection/verdicts';
import { connectionOf } from '../graphql/connection';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar, JsonScalar } from '../graphql/scalars';
import type { AlertRecord, AlertWindow } from './alert-record';
import { AlertResolution, AlertState } from './lifecycle';

export enum AlertSeverity {
  INFO = 'INFO',
  WARNING = 'WARNING',
  CRITICAL = 'CRITICAL',
}
registerEnumType(AlertSeverity, {
  name: 'AlertSeverity',
  description: 'How much an alert or incident matters.',
  valuesConfig: {
    INFO: { description: 'Good to know; nobody needs to act.' },
    WARNING: { description: 'Somebody should look at it today.' },
    CRITICAL: { description: 'Somebody should act now.' },
  },
});

export enum AlertSubject {
  SIM = 'SIM',
  FLEET = 'FLEET',
  CLIENT = 'CLIENT',
  NETWORK = 'NETWORK',
  COUNTRY = 'COUNTRY',
}
registerEnumType(AlertSubject, {
  name: 'AlertSubject',
  description: 'What an alert is about.',
  valuesConfig: {
    SIM: { description: 'One SIM.' },
    FLEET: { description: 'A fleet as a whole.' },
    CLIENT: { description: 'All SIMs of the client together.' },
    NETWORK: { description: "The client's SIMs in one mobile network." },
    COUNTRY: { description: "The client's SIMs in one visited country." },
  },
});

registerEnumType(AlertState, {
  name: 'AlertState',
  description: 'Where an alert stands. At most one alert per client, subject, detector and kind is live (OPEN or ACKNOWLEDGED).',
  valuesConfig: {
    OPEN: { description: 'It fires and nobody has taken it yet; or it got worse than what was acknowledged.' },
    ACKNOWLEDGED: { description: 'Somebody has it in hand. It stays so when it fires again, unless its severity rises.' },
    RESOLVED: { description: 'Over. A hit within 24 hours opens it again, with its notes; a later one is a new alert.' },
    DISMISSED: {
      description: 'Not worth a look until the date given, or for good. Hits are kept but bother nobody, unless the severity rises.',
    },
  },
});

registerEnumType(AlertResolution, {
  name: 'AlertResolution',
  description: 'Why an alert is resolved.',
  valuesConfig: {
    AUTO: { description: '24 hours of closed days without a hit.' },
    OPERATOR: { description: 'A person resolved it.' },
    RETRACTED: { description: 'Data that came later took back all its hits.' },
    MERGED: { description: 'A late hit showed that it is the same trouble as another alert, which has its hits now.' },
    MOVED: { description: 'The SIM moved to another client.' },
  },
});

@ObjectType({ description: 'One reason for a verdict, in numbers that can be checked.' })
export class AlertEvidence {
  @Field(() => String, { description: "What was looked at: a column of the detector's input, such as `dayBytes`." })
  column: string;
  @Field(() => JsonScalar, { nullable: true, description: 'What was seen: a number in `unit`, or a name.' })
  observed: number | string | null;
  @Field(() => JsonScalar, { nullable: true, description: 'What would have been normal: a number in `unit`, or a name.' })
  expected: number | string | null;
  @Field(() => String, { description: '`bytes`, `events`, `days`, `ratio`, `percent`, `seconds`, …; empty for names.' })
  unit: string;
  @Field(() => Float, { description: 'Share of the verdict that it explains, 0 to 1.' })
  weight: number;
  @Field(() => String, { description: 'The same in words: "412 MB today, limit 100 MB".' })
  text: string;
}

@ObjectType({ description: 'A window of time in which an alert fired. Evaluating the window again updates it.' })
export class AlertOccurrence {
  @Field(() => DateTimeScalar, { description: 'Start of the window, event time.' })
  windowStart: Date;
  @Field(() => DateTimeScalar, { description: 'End of the window, event time, exclusive.' })
  windowEnd: Date;
  @Field(() => AlertSeverity, { description: 'Severity in this window.' })
  severity: Severity;
  @Field(() => Float, { description: "The detector's score: higher is more anomalous; its scale is the detector's own." })
  score: number;
  @Field(() => String, { description: 'What happened, in one line.' })
  title: string;
  @Field(() => [AlertEvidence], { description: 'Why it fired.' })
  evidence: readonly AlertEvidence[];

  static of(window: AlertWindow): AlertOccurrence {
    return Object.assign(new AlertOccurrence(), window);
  }
}

@ObjectType('AlertOccurrenceConnection', { description: 'A page of windows in which an alert fired, latest first.' })
export class AlertOccurrenceConnection extends connectionOf(AlertOccurrence, 'AlertOccurrence') {}

@ObjectType({
  implements: Node,
  description:
    'Something that a detector found and that goes on: one subject, one kind, windows at most 48 hours apart. Severity, title, score and evidence are those of its latest window.',
})
export class Alert extends Node {
  @Field(() => String, { description: 'Id of the detector that found it, such as `threshold`.' })
  detector: string;
  @Field(() => String, { description: "Which of the detector's kinds it is, such as `DAILY_LIMIT`." })
  kind: string;
  @Field(() => AlertSubject, { description: 'What it is about.' })
  subject: SubjectKind;
  @Field(() => String, { nullable: true, description: 'The network (PLMN) that it is about; null for other subjects.' })
  network: string | null;
  @Field(() => String, {
    nullable: true,
    description:
      'The visited country that it is about, ISO 3166-1 alpha-2 (`ZZ`: no country of its own): of COUNTRY, and of CLIENT where it is about the devices in one country; else null.',
  })
  country: string | null;
  @Field(() => AlertSeverity, { description: 'Severity in the latest window.' })
  severity: Severity;
  @Field(() => AlertState, { description: 'Where it stands.' })
  state: AlertState;
  @Field(() => String, { description: 'What happened, in one line.' })
  title: string;
  @Field(() => Float, {
    description: "The detector's score in the latest window: higher is more anomalous; its scale is the detector's own.",
  })
  score: number;
  @Field(() => [AlertEvidence], { description: 'Why it fired in the latest window.' })
  evidence: readonly AlertEvidence[];
  @Field(() => DateTimeScalar, { description: 'Start of its first window, event time.' })
  firstWindowStart: Date;
  @Field(() => DateTimeScalar, { description: 'Start of its latest window, event time.' })
  lastWindowStart: Date;
  @Field(() => DateTimeScalar, { description: 'End of its latest window, event time.' })
  lastWindowEnd: Date;
  @Field(() => Int, { description: 'In how many windows it fired.' })
  occurrenceCount: number;
  @Field(() => Boolean, {
    description: 'True when all its windows became known more than 48 hours after they ended: it notified nobody and blocked nothing.',
  })
  late: boolean;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last acknowledged.' })
  acknowledgedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Who acknowledged it last.' })
  acknowledgedBy: string | null;
  @Field(() => String, { nullable: true, description: 'What the one who acknowledged it noted. Stays when it fires again.' })
  note: string | null;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When it was over: event time where it cleared by itself, else when the person acted.',
  })
  resolvedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Who resolved it; null where it cleared by itself.' })
  resolvedBy: string | null;
  @Field(() => AlertResolution, { nullable: true, description: 'Why it is resolved.' })
  resolution: AlertResolution | null;
  @Field(() => String, { nullable: true, description: 'What the one who resolved it gave as reason.' })
  resolutionReason: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last dismissed.' })
  dismissedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Who dismissed it last.' })
  dismissedBy: string | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'Until when it is dismissed; null: for good, or not dismissed.' })
  dismissedUntil: Date | null;
  @Field(() => String, { nullable: true, description: 'What the one who dismissed it gave as reason. Stays when it fires again.' })
  dismissedReason: string | null;
  @Field(() => Int, { description: 'Rises by one with every change.' })
  sequence: number;
  @Field(() => DateTimeScalar, { description: 'When it was first raised, wall clock.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When it changed last, wall clock.' })
  updatedAt: Date;

  /** As stored; not part of the schema. */
  record: AlertRecord;

  static of(record: AlertRecord): Alert {
    const { clientId, alertId, detectorId, subject, subjectId } = record;
    return Object.assign(new Alert(), record, {
      record,
      id: toGlobalId('Alert', clientId, alertId),
      detector: detectorId,
      network: subject === 'NETWORK' ? subjectId : null,
      country: countryOf(record),
    });
  }
}

@ObjectType('AlertConnection', { description: 'A page of alerts.' })
export class AlertConnection extends connectionOf(Alert, 'Alert') {}
