/** What people say of anomalies, as GraphQL shows it: of flagged devices, and of decisions on a client's devices in a country. */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars';

export enum FeedbackVerdict {
  HARMFUL = 'HARMFUL',
  HARMLESS = 'HARMLESS',
  EXPECTED = 'EXPECTED',
  DUPLICATE = 'DUPLICATE',
  UNSURE = 'UNSURE',
}
registerEnumType(FeedbackVerdict, {
  name: 'FeedbackVerdict',
  description: 'What a person says of an anomaly.',
  valuesConfig: {
    HARMFUL: { description: 'It is real trouble. A HARMLESS that was said before hides nothing from this day on.' },
    HARMLESS: {
      description:
        'It is unusual, and does no harm: hidden from lists of this day and those after it, until its date, or from the day of which somebody says HARMFUL later. EXPECTED, DUPLICATE and UNSURE of another day change nothing about that.',
    },
    EXPECTED: { description: 'It was known to come, such as a maintenance.' },
    DUPLICATE: { description: 'It is trouble that another alert or incident covers.' },
    UNSURE: { description: 'It was looked at without a conclusion.' },
  },
});

@ObjectType({ description: 'What a person said of an anomaly.' })
export class AnomalyFeedback {
  @Field(() => FeedbackVerdict, { description: 'The verdict.' })
  verdict: FeedbackVerdict;
  @Field(() => String, { nullable: true, description: 'Why.' })
  reason: string | null;
  @Field(() => DateScalar, { nullable: true, description: 'Of HARMLESS: the last UTC day that it hides; null: for good.' })
  until: string | null;
  @Field(() => DateTimeScalar, { description: 'When it was given (wall clock).' })
  at: Date;
  @Field(() => String, { description: 'Who gave it.' })
  by: string;
}

/** A word as it is stored: null where nobody said anything. */
interface WordColumns {
  readonly verdict: keyof typeof FeedbackVerdict | null;
  readonly reason: string | null;
  readonly until: string | null;
  readonly given_at: Date | null;
  readonly given_by: string | null;
}

/** What a query reads by `withFeedback`: what was said of the very anomaly, and what hides it. */
export type FeedbackColumns = { readonly [Column in keyof WordColumns as `${'said' | 'hiding'}_${Column}`]: WordColumns[Column] };

function wordOf({ verdict, reason, until, given_at: at, given_by: by }: WordColumns): AnomalyFeedback | null {
  return verdict === null ? null : { verdict: FeedbackVerdict[verdict], reason, until, at: at!, by: by! };
}

/** An anomaly of which nobody said anything shows what hides it. */
export function feedbackOf(row: FeedbackColumns): { feedback: AnomalyFeedback | null; suppressedBy: AnomalyFeedback | null } {
  const word = (of: 'said' | 'hiding') =>
    wordOf({
      verdict: row[`${of}_verdict`],
      reason: row[`${of}_reason`],
      until: row[`${of}_until`],
      given_at: row[`${of}_given_at`],
      given_by: row[`${of}_given_by`],
    });
  const suppressedBy = word('hiding');
  return { feedback: word('said') ?? suppressedBy, suppressedBy };
}

/** The parts of an anomaly's key, `day:detector:rest`; null where it can't be one. `rest`: a pattern. */
export function dayAndDetector(key: string, rest: string): { day: string; detectorId: string; rest: string } | null {
  const match = new RegExp(`^(\\d{4}-\\d\\d-\\d\\d):([a-z][a-z0-9-]{0,63}):${rest}$`).exec(key);
  const day = match?.[1];
  if (!day || Number.isNaN(Date.parse(`${day}T00:00:00Z`)) || new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day) return null;
  return { day, detectorId: match[2]!, rest: match[3]! };
}
