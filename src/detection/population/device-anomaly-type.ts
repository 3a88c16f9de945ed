/** A flagged device as GraphQL shows it. */
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { Evidence } from '../../detector';
import { toGlobalId } from '../../graphql/global-id';
import { Node } from '../../graphql/nodes';
import { DateScalar, JsonScalar } from '../../graphql/scalars';
import { AnomalyFeedback, dayAndDetector, feedbackOf, type FeedbackColumns } from './feedback-type';

@ObjectType({ description: 'One reason for a score, in numbers that can be checked.' })
export class AnomalyEvidence {
  @Field(() => String, { description: 'The column it speaks of; `featureCatalogue` describes features.' })
  column: string;
  @Field(() => JsonScalar, { nullable: true, description: 'What was seen: a number in `unit`, or a name.' })
  observed: number | string | null;
  @Field(() => JsonScalar, { nullable: true, description: 'What would have been normal: a number in `unit`, or a name.' })
  expected: number | string | null;
  @Field(() => String, { description: '`dialogues`, `percent`, `seconds`, `minutes`, …; empty for names.' })
  unit: string;
  @Field(() => Float, { description: 'Share of the score it explains, 0 to 1.' })
  weight: number;
  @Field(() => String, { description: 'The same in words: "n_sai_reject 412, usual 3–9".' })
  text: string;
}

@ObjectType({ description: "A day's score of a SIM in its history." })
export class AnomalyHistoryEntry {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => Float, { description: 'Its score on that day, 0 to 1.' })
  score: number;
}

export interface DeviceAnomalyRow extends FeedbackColumns {
  client_id: number;
  day: string;
  detector_id: string;
  sim_id: string;
  country: string;
  cluster: number;
  score: number;
  raw_score: number;
  evidence: Evidence[];
}

@ObjectType({ implements: Node, description: "A SIM whose signaling on a UTC day scored above its model's threshold." })
export class DeviceAnomaly extends Node {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  day: string;
  @Field(() => ID, { description: "The detector's own id." })
  detector: string;
  @Field(() => String, { description: 'Visited country, ISO 3166-1 alpha-2; ZZ where it is unknown.' })
  country: string;
  @Field(() => Int, { description: 'Number of the cluster it was measured against; see `clusters`.' })
  cluster: number;
  @Field(() => Float, { description: "Share of the model's training scores below, 0 to 1: what is ranked by." })
  score: number;
  @Field(() => Float, { description: 'The score as the detector measures it: higher is more unusual.' })
  rawScore: number;
  @Field(() => [AnomalyEvidence], { description: 'Why, the weightiest first.' })
  evidence: readonly Evidence[];
  @Field(() => AnomalyFeedback, {
    nullable: true,
    description: 'What a person said of it, or, where nobody did, the HARMLESS on this SIM of an earlier day that hides it; else null.',
  })
  feedback: AnomalyFeedback | null;
  @Field(() => AnomalyFeedback, {
    nullable: true,
    description: 'The HARMLESS that hides it: who said it, why, and until when; of this day or of one before. null where nothing hides it.',
  })
  suppressedBy: AnomalyFeedback | null;
  clientId: number;
  simId: string;

  static of(row: DeviceAnomalyRow): DeviceAnomaly {
    return Object.assign(new DeviceAnomaly(), {
      id: toGlobalId('DeviceAnomaly', row.client_id, `${row.day}:${row.detector_id}:${row.sim_id}`),
      clientId: row.client_id,
      simId: row.sim_id,
      day: row.day,
      detector: row.detector_id,
      country: row.country,
      cluster: row.cluster,
      score: row.score,
      rawScore: row.raw_score,
      evidence: row.evidence,
      ...feedbackOf(row),
    });
  }
}

/** Day, detector and SIM of a DeviceAnomaly's key; null where it can't be one. */
export function anomalyKey(key: string): { day: string; detectorId: string; simId: string } | null {
  const parts = dayAndDetector(key, '(0|[1-9]\\d{0,17})');
  return parts && { day: parts.day, detectorId: parts.detectorId, simId: parts.rest };
}
