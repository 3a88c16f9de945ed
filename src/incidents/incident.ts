/** An incident as GraphQL shows it. */
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { AlertSeverity } from '../alerts';
import type { Severity } from '../detector';
import { connectionOf } from '../graphql/connection';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import { LogAction } from './incident-change';
import type { IncidentRecord } from './incident-record';
import { IncidentState } from './lifecycle';
import { RootCause } from './root-cause';

registerEnumType(IncidentState, {
  name: 'IncidentState',
  description: 'Where an incident stands. At most one per client and SIM (or fleet, or network) is open.',
  valuesConfig: {
    OPEN: { description: 'A human has still to close it, even where all its alerts are resolved.' },
    CLOSED: { description: 'Over for good: the next alert opens a new one.' },
  },
});

registerEnumType(RootCause, {
  name: 'RootCause',
  description: 'What caused an incident.',
  valuesConfig: {
    STOLEN_SIM: { description: 'The SIM was taken out of its device and is used in another.' },
    FIRMWARE_BUG: { description: 'The device misbehaves by itself: reboots, errors, retries, traffic without need.' },
    MALWARE: { description: 'The device was taken over and talks to destinations of others.' },
    NETWORK_ISSUE: { description: 'The visited network fails.' },
    PLATFORM_ISSUE: { description: 'The connectivity platform or home network fails.' },
    ROAMING_AGREEMENT: { description: 'Roaming between home and visited network is misconfigured or not agreed.' },
    COVERAGE: { description: 'The device has no radio coverage.' },
    CONFIGURATION: { description: 'A setting of device, SIM or server is wrong.' },
    LEGITIMATE: { description: 'Nothing is wrong: the use is as intended.' },
    UNKNOWN: { description: 'It could not be found out, or nothing speaks for a cause yet.' },
  },
});

registerEnumType(LogAction, {
  name: 'IncidentLogAction',
  description: "What an entry of an incident's log is about.",
  valuesConfig: {
    OPENED: { description: 'The incident was opened.' },
    ALERT_JOINED: { description: 'An alert became part of it.' },
    SEVERITY_CHANGED: { description: 'The worst of its live alerts is worse, or less bad, than before.' },
    ROOT_CAUSE_PROPOSED: { description: 'Its alerts speak for another cause than before.' },
    ALERTS_RESOLVED: { description: 'None of its alerts is live any more.' },
    FIRING_AGAIN: { description: 'After none was, an alert of it is live again.' },
    EDITED: { description: 'Its title or assignee was changed.' },
    NOTE: { description: 'Somebody noted something.' },
    ROOT_CAUSE_SET: { description: 'Somebody gave the verdict on its cause.' },
    MERGED: { description: 'It took in another incident, or became part of one.' },
    CLOSED: { description: 'It was closed: by somebody, or by itself because later data took back all of its alerts.' },
  },
});

@ObjectType({
  implements: Node,
  description: 'Alerts that belong together, as a case that somebody works on: those of a SIM; else of a fleet, a network or the client.',
})
export class Incident extends Node {
  @Field(() => IncidentState, { description: 'Where it stands.' })
  state: IncidentState;
  @Field(() => String, {
    description:
      'What it is about, in one line: that of its earliest alert (by event time, then severity, then detector), unless somebody gave it one.',
  })
  title: string;
  @Field(() => AlertSeverity, { description: 'Severity of its worst live alert; without one, what it was last.' })
  severity: Severity;
  @Field(() => Int, {
    description:
      'How many of its alerts are OPEN or ACKNOWLEDGED. 0: all are over, and it waits to be closed; it closes itself where later data took all of them back and nobody has taken it up.',
  })
  liveAlerts: number;
  @Field(() => RootCause, { description: 'The cause that its alerts speak for; a proposal.' })
  proposedRootCause: RootCause;
  @Field(() => RootCause, { nullable: true, description: 'The cause as somebody found it; null: no verdict yet.' })
  rootCause: RootCause | null;
  @Field(() => String, { nullable: true, description: 'Who gave the verdict.' })
  rootCauseBy: string | null;
  @Field(() => String, { nullable: true, description: 'Who works on it; null: nobody yet.' })
  assignee: string | null;
  @Field(() => DateTimeScalar, { description: 'When the trouble of its first alert began, event time.' })
  openedAt: Date;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was closed.' })
  closedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Who closed it; `simwarden` where it closed itself.' })
  closedBy: string | null;
  @Field(() => Int, { description: 'Rises by one with every change.' })
  sequence: number;
  @Field(() => DateTimeScalar, { description: 'When it was made, wall clock.' })
  createdAt: Date;
  @Field(() => DateTimeScalar, { description: 'When it changed last, wall clock.' })
  updatedAt: Date;
  /** As stored; not part of the schema. */
  record: IncidentRecord;

  static of(record: IncidentRecord): Incident {
    return Object.assign(new Incident(), record, { record, id: toGlobalId('Incident', record.clientId, record.incidentId) });
  }
}

@ObjectType('IncidentConnection', { description: 'A page of incidents.' })
export class IncidentConnection extends connectionOf(Incident, 'Incident') {}

@ObjectType({ description: "An entry of an incident's log; never altered." })
export class IncidentLogEntry {
  @Field(() => DateTimeScalar, { description: 'When, wall clock.' })
  at: Date;
  @Field(() => String, { description: 'Who: the name of a credential, or `simwarden`.' })
  actor: string;
  @Field(() => LogAction, { description: 'What kind of entry it is.' })
  action: LogAction;
  @Field(() => String, { description: 'What happened, or what was noted.' })
  text: string;

  static of(row: LogRow): IncidentLogEntry {
    return Object.assign(new IncidentLogEntry(), row);
  }
}

export interface LogRow {
  readonly entryId: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: LogAction;
  readonly text: string;
}

@ObjectType('IncidentLogConnection', { description: "A page of an incident's log, oldest first." })
export class IncidentLogConnection extends connectionOf(IncidentLogEntry, 'IncidentLogEntry') {}
