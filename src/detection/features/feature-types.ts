/** Features as the API shows them: each number beside its name, unit and definition. */
import { Field, Float, Int, ObjectType } from 'type-graphql';
import { featureCatalogue, type Feature } from '../../detector';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars';
import type { FeatureMonth } from './feature-month';

/** An object type may not hold NaN: what is undefined is null. */
const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

@ObjectType({ description: 'One of the 95 daily signaling features of a SIM, after ANCHOR.' })
export class FeatureDefinition {
  @Field(() => String, { description: 'Its name: n_sai, pct_map_errors, active_minutes.' })
  name: string;
  @Field(() => String, {
    description:
      'What it tells of: mobility, sessions, volume, map-sai, diameter-sai, map-ul, map-ul-gprs, diameter-ul, map-cl, diameter-cl, shares, outcomes, activity.',
  })
  group: string;
  @Field(() => String, {
    description: 'networks, nodes, changes, seconds, dialogues, percent (0 to 100), minutes, or ratio (0 to 1).',
  })
  unit: string;
  @Field(() => String, { description: 'Its definition, over the dialogues of one SIM and UTC day.' })
  description: string;
}

@ObjectType({ description: 'A feature of a SIM on a day, with its value.' })
export class FeatureValue extends FeatureDefinition {
  @Field(() => Float, {
    nullable: true,
    description: 'The value, with seven significant digits; null where it is undefined, such as a share of nothing.',
  })
  value: number | null;

  static all(values: Float32Array): FeatureValue[] {
    return featureCatalogue.map((feature: Feature, index) => Object.assign(new FeatureValue(), feature, { value: orNull(values[index]!) }));
  }
}

@ObjectType({ description: 'The signaling of a SIM on a UTC day in 95 numbers.' })
export class SimFeatureDay {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => String, {
    description:
      'Country where most of its dialogues were, ISO 3166-1 alpha-2 (the latest of two with as many); ZZ where the networks have no country or are unknown.',
  })
  country: string;
  @Field(() => Int, { description: 'Dialogues, exact repeats counted once; 1 or more.' })
  dialogues: number;
  @Field(() => Boolean, {
    description: 'Whether we had blocked the SIM when the features were computed: what it does then is partly our doing.',
  })
  blockedByUs: boolean;
  @Field(() => DateTimeScalar, {
    description: 'When they were computed (wall clock): after the day, and again when late dialogues arrived.',
  })
  computedAt: Date;
  @Field(() => [FeatureValue], { description: 'The 95 features, in the order of the catalogue.' })
  features: FeatureValue[];
}

@ObjectType({ description: 'What a feature was over the days with signaling among 30.' })
export class FeatureStatistic {
  @Field(() => String, { description: 'Name of the feature.' })
  name: string;
  @Field(() => String, { description: 'Unit of both numbers.' })
  unit: string;
  @Field(() => Float, { nullable: true, description: 'Mean per day with signaling.' })
  mean: number | null;
  @Field(() => Float, { nullable: true, description: 'Sample standard deviation over these days; null under two.' })
  standardDeviation: number | null;
}

@ObjectType({ description: 'The features that devices are clustered by, over 30 days: up to the latest day whose features were computed.' })
export class SimFeatureMonth {
  @Field(() => DateScalar, { description: 'First of the 30 UTC days.' })
  from: string;
  @Field(() => Int, { description: 'Days with signaling among them, 1 to 30.' })
  days: number;
  @Field(() => [FeatureStatistic], { description: 'Each feature that clusters.' })
  statistics: FeatureStatistic[];

  static of(month: FeatureMonth): SimFeatureMonth {
    const units = new Map(featureCatalogue.map(({ name, unit }) => [name, unit]));
    return Object.assign(new SimFeatureMonth(), {
      from: month.fromDay,
      days: month.days,
      statistics: month
        .statistics()
        .map(({ name, mean, deviation }) =>
          Object.assign(new FeatureStatistic(), { name, unit: units.get(name)!, mean: orNull(mean), standardDeviation: orNull(deviation) }),
        ),
    });
  }
}

@ObjectType({ description: 'The signaling features of a SIM.' })
export class SimFeatures {
  @Field(() => [SimFeatureDay], { description: 'Days with signaling whose features are computed, earliest first.' })
  days: SimFeatureDay[];
  @Field(() => SimFeatureMonth, { nullable: true, description: 'Statistics of 30 days; null for a SIM without any signaling in them.' })
  month: SimFeatureMonth | null;
}

@ObjectType({ description: 'A row of a signaling matrix: how often something happened in each quarter of an hour.' })
export class SignalingMatrixRow {
  @Field(() => String, {
    description:
      'What is counted: dialogues by protocol, procedure and outcome (MAP_SAI_SUCCESS), by origin (ORIGIN_VLR), long ones (DURATION_ABOVE_2500_MS), FORMAT_VIOLATION.',
  })
  name: string;
  @Field(() => [Int], { description: '96 counts, from midnight UTC on; 0 or more.' })
  counts: number[];
}

@ObjectType({ description: 'A SIM and UTC day as 15-minute counters: 55 rows, always the same, of 96 columns.' })
export class SignalingMatrix {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => [SignalingMatrixRow], { description: 'Every kind of dialogue, in a fixed order, counted or not.' })
  rows: SignalingMatrixRow[];
}
