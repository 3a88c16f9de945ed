/** Inputs and payloads of the mutations on incidents. */
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { AlertSeverity } from '../alerts';
import { SafeTextScalar } from '../graphql/scalars';
import { UserError } from '../graphql/user-error';
import { Incident } from './incident';
import { RootCause } from './root-cause';

@InputType({ description: 'An incident to open by hand.' })
export class OpenIncidentInput {
  @Field(() => ID, {
    nullable: true,
    description: 'The client. Operators must give it where neither a SIM nor alerts are named; others may leave it out.',
  })
  client?: string | null;
  @Field(() => ID, {
    nullable: true,
    description: 'The SIM that it is about. Its coming alerts join it. A SIM has at most one open incident.',
  })
  sim?: string | null;
  @Field(() => SafeTextScalar, { description: 'What it is about, in one line.' })
  title: string;
  @Field(() => AlertSeverity, {
    defaultValue: AlertSeverity.WARNING,
    description: 'How much it matters; default WARNING. Live alerts that are part of it decide instead.',
  })
  severity: AlertSeverity;
  @Field(() => [ID], {
    nullable: true,
    description: 'Alerts that become part of it, at most 100; they leave the incidents that they are in.',
  })
  alerts?: string[] | null;
}

@InputType({ description: 'What to change of an incident; what is left out stays.' })
export class UpdateIncidentInput {
  @Field(() => ID, { description: 'The incident.' })
  incident: string;
  @Field(() => SafeTextScalar, { nullable: true, description: 'What it is about, in one line.' })
  title?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Who works on it; null or an empty text: nobody.' })
  assignee?: string | null;
}

@InputType({ description: "A note for an incident's log." })
export class AddIncidentNoteInput {
  @Field(() => ID, { description: 'The incident, open or closed.' })
  incident: string;
  @Field(() => SafeTextScalar, { description: 'The note.' })
  text: string;
}

@InputType({ description: "The verdict on an incident's cause." })
export class SetRootCauseInput {
  @Field(() => ID, { description: 'The incident, open or closed.' })
  incident: string;
  @Field(() => RootCause, { description: 'What caused it. The proposal stays beside it.' })
  rootCause: RootCause;
  @Field(() => SafeTextScalar, { nullable: true, description: 'How it was found out; goes to the log.' })
  note?: string | null;
}

@InputType({ description: 'Incidents that are one.' })
export class MergeIncidentsInput {
  @Field(() => ID, { description: 'The incident that stays; open.' })
  into: string;
  @Field(() => [ID], { description: 'The incidents that become part of it, 1 to 100, open, of the same client.' })
  from: string[];
}

@InputType({ description: 'An incident that is over.' })
export class CloseIncidentInput {
  @Field(() => ID, { description: 'The incident.' })
  incident: string;
  @Field(() => RootCause, { description: 'What caused it.' })
  rootCause: RootCause;
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'What was found and done; goes to the log, and to its live alerts as the reason of their resolution.',
  })
  note?: string | null;
}

@ObjectType()
abstract class IncidentPayload {
  @Field(() => Incident, { nullable: true, description: 'The incident afterwards; null where there are user errors.' })
  incident: Incident | null;
  @Field(() => [UserError], { description: 'What the caller can mend.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The incident that was opened.' })
export class OpenIncidentPayload extends IncidentPayload {}
@ObjectType({ description: 'The incident that was changed.' })
export class UpdateIncidentPayload extends IncidentPayload {}
@ObjectType({ description: 'The incident that was annotated.' })
export class AddIncidentNotePayload extends IncidentPayload {}
@ObjectType({ description: 'The incident that got its verdict.' })
export class SetRootCausePayload extends IncidentPayload {}
@ObjectType({ description: 'The incident that stays.' })
export class MergeIncidentsPayload extends IncidentPayload {}
@ObjectType({ description: 'The incident that was closed.' })
export class CloseIncidentPayload extends IncidentPayload {}
