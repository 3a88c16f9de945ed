/** What the API shows of a detector: what it says of itself, and how it is configured and doing for a client. */
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { Detector, Kind } from '../detector';
import { DateTimeScalar, JsonScalar } from '../graphql/scalars';
import type { ConfigurationRow } from './host/configuration';
import { configurableOptions } from './host/host-options';
import { ConfigurationScope, DetectorMode } from './host/modes';

export enum DetectorInputKind {
  USAGE = 'USAGE',
  EVENTS = 'EVENTS',
  FEATURES = 'FEATURES',
  SERVICES = 'SERVICES',
}

registerEnumType(DetectorInputKind, {
  name: 'DetectorInputKind',
  description: 'What a detector looks at.',
  valuesConfig: {
    USAGE: { description: 'Totals, limits and baselines, one row per SIM and UTC day.' },
    EVENTS: { description: 'Connection events, device events and usage records of a UTC day, one row each.' },
    FEATURES: { description: 'The 95 daily signaling features of each SIM, once a day.' },
    SERVICES: { description: 'Voice and SMS, data and MAP in each visited country, hour by hour.' },
  },
});

const inputKinds = {
  usage: DetectorInputKind.USAGE,
  events: DetectorInputKind.EVENTS,
  features: DetectorInputKind.FEATURES,
  services: DetectorInputKind.SERVICES,
} as const;

export enum DetectionWindow {
  DAY = 'DAY',
  WEEK = 'WEEK',
  BILLING_CYCLE = 'BILLING_CYCLE',
}

registerEnumType(DetectionWindow, {
  name: 'DetectionWindow',
  description: 'The period that one hit belongs to.',
  valuesConfig: {
    DAY: { description: 'A UTC day.' },
    WEEK: { description: 'An ISO week, Monday to Sunday, UTC.' },
    BILLING_CYCLE: { description: "From the client's billing cycle day to the day before the next one, UTC." },
  },
});

export enum JudgedWhen {
  ANY_TIME = 'ANY_TIME',
  CLOSED_DAY = 'CLOSED_DAY',
}

registerEnumType(JudgedWhen, {
  name: 'JudgedWhen',
  description: 'When a kind is judged.',
  valuesConfig: {
    ANY_TIME: { description: 'Within a second of the records that cause it, and again when the day closes.' },
    CLOSED_DAY: { description: "Only once the day is closed, since a drop or a silence can't be told before." },
  },
});

@ObjectType({ description: 'One thing that a detector can find.' })
export class DetectorKind {
  @Field(() => String, { description: 'Its id, unique in the detector: `DAILY_LIMIT`.' })
  id: string;
  @Field(() => String, { description: 'One line, as shown in alert lists.' })
  title: string;
  @Field(() => String, { description: 'Severity of a hit: INFO, WARNING or CRITICAL.' })
  severity: string;
  @Field(() => String, { nullable: true, description: 'Severity of the same trouble when it is worse; null where there is no worse.' })
  escalatedSeverity: string | null;
  @Field(() => String, { description: 'What an alert is about: SIM, FLEET, CLIENT, NETWORK or COUNTRY.' })
  subject: string;
  @Field(() => DetectionWindow, { description: 'The period that one hit belongs to.' })
  window: DetectionWindow;
  @Field(() => JudgedWhen, { description: 'When it is judged.' })
  judged: JudgedWhen;

  static of(kind: Kind): DetectorKind {
    return Object.assign(new DetectorKind(), {
      id: kind.id,
      title: kind.title,
      severity: kind.severity,
      escalatedSeverity: kind.escalated ?? null,
      subject: kind.subject,
      window: DetectionWindow[kind.window],
      judged: JudgedWhen[kind.judged],
    });
  }
}

@ObjectType({ description: 'How a detector was configured for a client, a fleet or a SIM.' })
export class DetectorConfigurationEntry {
  @Field(() => ConfigurationScope, { description: 'What it is for.' })
  scope: ConfigurationScope;
  @Field(() => DetectorMode, { description: 'How the detector runs there.' })
  mode: DetectorMode;
  @Field(() => JsonScalar, { description: 'The options that were given; those left out have the defaults of `optionsSchema`.' })
  options: unknown;
  @Field(() => DateTimeScalar, { description: 'When it was set.' })
  updatedAt: Date;
  @Field(() => String, { description: 'Who set it.' })
  updatedBy: string;
  clientId: number;
  scopeId: string;

  static of(row: ConfigurationRow): DetectorConfigurationEntry {
    return Object.assign(new DetectorConfigurationEntry(), {
      scope: ConfigurationScope[row.scope],
      mode: DetectorMode[row.mode],
      options: row.options,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
      clientId: row.client_id,
      scopeId: row.scope_id,
    });
  }
}

@ObjectType('Detector', { description: "A detector: a part of the product, or a partner's, that finds one sort of trouble." })
export class ShownDetector {
  @Field(() => ID, { description: "The detector's own id, the same for every client: `threshold`." })
  id: string;
  @Field(() => String, { description: 'Semantic version.' })
  version: string;
  @Field(() => String, { description: 'Title.' })
  title: string;
  @Field(() => String, { description: 'What it finds and how, in one or two sentences.' })
  summary: string;
  @Field(() => DetectorInputKind, { description: 'What it looks at.' })
  input: DetectorInputKind;
  @Field(() => [String], { description: 'Names of the columns that it reads.' })
  needs: readonly string[];
  @Field(() => [DetectorKind], { description: 'What it can find.' })
  kinds: DetectorKind[];
  @Field(() => JsonScalar, { description: 'JSON Schema of what `configureDetector` takes as options, with the default of each.' })
  optionsSchema: unknown;
  @Field(() => String, { nullable: true, description: 'Paper, standard or guide that it follows.' })
  reference: string | null;
  @Field(() => String, { description: 'Where it fails or should not be used.' })
  limits: string;

  /** `presets`: options that stand in for the detector's defaults. */
  static of(detector: Detector, presets: Readonly<Record<string, unknown>>): ShownDetector {
    const { meta } = detector;
    return Object.assign(new ShownDetector(), {
      id: meta.id,
      version: meta.version,
      title: meta.title,
      summary: meta.summary,
      input: inputKinds[meta.input],
      needs: meta.needs,
      kinds: meta.kinds.map((kind) => DetectorKind.of(kind)),
      optionsSchema: configurableOptions(detector, presets),
      reference: meta.reference ?? null,
      limits: meta.limits,
    });
  }
}
