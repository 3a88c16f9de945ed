/** The marker that a subscriber's cursor was too old: events between were dropped. Slices put it on their `XChanged` types. */
import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  description: 'Events were missed: the cursor given was older than the 7 days that are kept. Read the lists again, then go on from here.',
})
export class ReplayGap {
  @Field(() => String, { description: 'The cursor that was given.' })
  missedFrom: string;
  @Field(() => String, { description: 'Cursor of the last event that is gone; delivery resumes right after it.' })
  resumesAt: string;
}
