/** A decision on a client's devices in a country as GraphQL shows it. */
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { toGlobalId } from '../../graphql/global-id';
import { Node } from '../../graphql/nodes';
import { DateScalar } from '../../graphql/scalars';
import { DetectorMode } from '../host/modes';
import { AnomalyFeedback, dayAndDetector, feedbackOf, type FeedbackColumns } from './feedback-type';

export enum ClientAnomalyVerdict {
  ANOMALOUS = 'ANOMALOUS',
  NORMAL = 'NORMAL',
  ABSTAINED = 'ABSTAINED',
}
registerEnumType(ClientAnomalyVerdict, {
  name: 'ClientAnomalyVerdict',
  description: "What was decided of a client's devices in a country.",
  valuesConfig: {
    ANOMALOUS: {
      description:
        'More devices flagged than at the other clients (z above 2.576) and than is usual of the client itself, significant with a false discovery rate of 5 % over all pairs of the day.',
    },
    NORMAL: { description: 'No more devices flagged than may happen by chance, or than is usual of the client itself.' },
    ABSTAINED: { description: 'Fewer than 10 devices: too few to say.' },
  },
});

export interface ClientAnomalyRow extends FeedbackColumns {
  client_id: number;
  day: string;
  detector_id: string;
  country: string;
  scope: string;
  mode: keyof typeof DetectorMode;
  devices: number;
  flagged: number;
  expected: number;
  z_score: number;
  p_value: number;
  corrected_p_value: number;
  verdict: keyof typeof ClientAnomalyVerdict;
}

@ObjectType({ implements: Node, description: "The decision on a client's devices in one visited country on one UTC day." })
export class ClientAnomaly extends Node {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => String, { description: 'Visited country, ISO 3166-1 alpha-2; ZZ where it is unknown.' })
  country: string;
  @Field(() => ID, { description: "The detector's own id." })
  detector: string;
  @Field(() => String, { description: 'Which models scored the devices: GLOBAL, PER_CLUSTER or MAJOR_CLUSTER.' })
  modelScope: string;
  @Field(() => DetectorMode, { description: 'How the detector ran for the client: SHADOW raises no alert.' })
  mode: DetectorMode;
  @Field(() => Int, { description: 'Devices that were judged.' })
  devices: number;
  @Field(() => Int, { description: "Of these, devices that scored above their model's threshold." })
  flagged: number;
  @Field(() => Float, {
    description:
      'Flagged devices to be expected, from what the same clusters showed at all other clients on the day; where these hid it, at those that were not ANOMALOUS themselves.',
  })
  expected: number;
  @Field(() => Float, { description: '(flagged − expected) / √expected; above 2.576 is unusual, which alone decides nothing.' })
  zScore: number;
  @Field(() => Float, {
    description:
      "Probability of so many by chance, 0 to 1: the greater of two, against the other clients (the exact upper binomial tail) and against the client's own days before and devices in other countries (the clearer of both, days over 0.9, countries over 0.1). The second is taken only where the first is at most 0.05 and something of its own is known.",
  })
  pValue: number;
  @Field(() => Float, {
    description:
      'The same after Benjamini and Hochberg; at most 0.05 is significant. Over all pairs of the day, or, where the clearest hid it, over those that were left without them.',
  })
  correctedPValue: number;
  @Field(() => ClientAnomalyVerdict, { description: 'What was decided.' })
  verdict: ClientAnomalyVerdict;
  @Field(() => AnomalyFeedback, {
    nullable: true,
    description:
      'What a person said of it, or, where nobody did, the HARMLESS on this client and country of an earlier day that hides it; else null.',
  })
  feedback: AnomalyFeedback | null;
  @Field(() => AnomalyFeedback, {
    nullable: true,
    description: 'The HARMLESS that hides it: who said it, why, and until when; of this day or of one before. null where nothing hides it.',
  })
  suppressedBy: AnomalyFeedback | null;
  clientId: number;

  static of(row: ClientAnomalyRow): ClientAnomaly {
    return Object.assign(new ClientAnomaly(), {
      id: toGlobalId('ClientAnomaly', row.client_id, `${row.day}:${row.detector_id}:${row.country}`),
      clientId: row.client_id,
      day: row.day,
      country: row.country,
      detector: row.detector_id,
      modelScope: row.scope,
      mode: DetectorMode[row.mode],
      devices: row.devices,
      flagged: row.flagged,
      expected: row.expected,
      zScore: row.z_score,
      pValue: row.p_value,
      correctedPValue: row.corrected_p_value,
      verdict: ClientAnomalyVerdict[row.verdict],
      ...feedbackOf(row),
    });
  }
}

/** Day, detector and country of a ClientAnomaly's key; null where it can't be one. */
export function clientAnomalyKey(key: string): { day: string; detectorId: string; country: string } | null {
  const parts = dayAndDetector(key, '([A-Z]{2})');
  return parts && { day: parts.day, detectorId: parts.detectorId, country: parts.rest };
}
