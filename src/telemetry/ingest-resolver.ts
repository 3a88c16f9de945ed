/** Small batches over GraphQL: at most 1,000 records, through the same door as files. */
import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { recordAudit } from '../access';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { ByteCountScalar, DateTimeScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { BatchInput } from './batch-input';
import { ConnectionEventType, type ConnectionEventTypeName } from './connection-events';
import { IngestDialoguesInput } from './dialogues/dialogue-input';
import { Ingest, MOST_RECORDS } from './ingest';
import type { IngestKind } from './ingest-kind';

const ICCID = 'ICCID of the SIM, 19 or 20 digits that start with 89.';
const IMEI = 'IMEI (15 digits) or IMEISV (16) of the device; left out: unknown.';
const PLMN = 'Visited network as MCC and MNC, such as 214-07; left out: unknown.';
const RAT = 'Radio access: GERAN, UTRAN, EUTRAN, LTE_M, NB_IOT, NR, or 2G, 3G, 4G, 5G; left out: unknown.';

@InputType({ description: 'Data that a SIM used in a window or session.' })
export class UsageRecordInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Id at the source, at most 200 characters, unique per source and day. Left out: the content is the identity.',
  })
  recordId?: string | null;
  @Field(() => SafeTextScalar, { description: ICCID })
  iccid: string;
  @Field(() => DateTimeScalar, { description: 'Start of the window.' })
  startedAt: Date;
  @Field(() => DateTimeScalar, { description: 'End of the window, at most 31 days after its start.' })
  endedAt: Date;
  @Field(() => ByteCountScalar, { description: 'Bytes sent, 0 to 2^53 − 1.' })
  uplinkBytes: string;
  @Field(() => ByteCountScalar, { description: 'Bytes received, 0 to 2^53 − 1.' })
  downlinkBytes: string;
  @Field(() => SafeTextScalar, { nullable: true, description: PLMN })
  plmn?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: RAT })
  rat?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: IMEI })
  imei?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Access point name, at most 100 characters.' })
  apn?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Where the traffic went: host name, IP address or AS<n>.' })
  destination?: string | null;
}

@InputType({ description: 'Something that happened between a SIM and a network.' })
export class ConnectionEventInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Id at the source, at most 200 characters, unique per source and day. Left out: the content is the identity.',
  })
  eventId?: string | null;
  @Field(() => SafeTextScalar, { description: ICCID })
  iccid: string;
  @Field(() => ConnectionEventType, { description: 'What happened.' })
  type: ConnectionEventTypeName;
  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  occurredAt: Date;
  @Field(() => SafeTextScalar, { nullable: true, description: IMEI })
  imei?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: PLMN })
  plmn?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: RAT })
  rat?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Data session that it belongs to, at most 200 characters.' })
  sessionId?: string | null;
  @Field(() => ByteCountScalar, { nullable: true, description: 'Bytes sent, as evidence: they never enter usage.' })
  uplinkBytes?: string | null;
  @Field(() => ByteCountScalar, { nullable: true, description: 'Bytes received, as evidence: they never enter usage.' })
  downlinkBytes?: string | null;
}

@InputType({ description: 'Something that a device reported about itself, or its platform about it.' })
export class DeviceEventInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Id at the source, at most 200 characters, unique per source and day. Left out: the content is the identity.',
  })
  eventId?: string | null;
  @Field(() => SafeTextScalar, { description: ICCID })
  iccid: string;
  @Field(() => SafeTextScalar, { description: 'REBOOT, TLS_ERROR, RETRY_LOOP or another name of A-Z and _, at most 64 characters.' })
  type: string;
  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  occurredAt: Date;
  @Field(() => Int, { nullable: true, description: 'How often it happened, 1 or more; default 1.' })
  count?: number | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'What the device said about it, at most 1,000 characters.' })
  detail?: string | null;
}

@InputType({ description: 'A batch of usage records.' })
export class IngestUsageInput extends BatchInput {
  @Field(() => [UsageRecordInput], { description: 'The records, at most 1,000. More go to POST /ingest/usage.' })
  records: UsageRecordInput[];
}
@InputType({ description: 'A batch of connection events.' })
export class IngestConnectionEventsInput extends BatchInput {
  @Field(() => [ConnectionEventInput], { description: 'The events, at most 1,000. More go to POST /ingest/connection-events.' })
  events: ConnectionEventInput[];
}
@InputType({ description: 'A batch of device events.' })
export class IngestDeviceEventsInput extends BatchInput {
  @Field(() => [DeviceEventInput], { description: 'The events, at most 1,000. More go to POST /ingest/device-events.' })
  events: DeviceEventInput[];
}

@ObjectType({ description: 'Why one record of a batch was not stored.' })
export class IngestRowError {
  @Field(() => Int, { description: 'Which record of the input, from 1.' })
  line: number;
  @Field(() => String, { description: 'Code from the error catalogue.' })
  code: string;
  @Field(() => String, { description: 'What happened, what was given, what to do.' })
  message: string;
}

@ObjectType({ description: 'What became of a batch. The records it counts as accepted are committed.' })
export class IngestPayload {
  @Field(() => String, {
    nullable: true,
    description: 'Name of the batch: the idempotency key, else derived from its content. null where there are user errors.',
  })
  batchId: string | null;
  @Field(() => Int, { description: 'Records stored.' })
  accepted: number;
  @Field(() => Int, { description: 'Records that were stored before with equal content.' })
  duplicates: number;
  @Field(() => Int, { description: 'Records that were quarantined.' })
  rejected: number;
  @Field(() => [IngestRowError], { description: 'Why records were quarantined: the first 100. `quarantine` has all.' })
  errors: readonly IngestRowError[];
  @Field(() => [UserError], { description: 'What is wrong with the batch as a whole; empty where it was taken.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class IngestResolver {
  constructor(private readonly ingest: Ingest) {}

  @Mutation(() => IngestPayload, { description: 'Stores usage records. Bad ones are quarantined and never cost good ones.' })
  ingestUsage(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => IngestUsageInput, { description: 'The batch.' }) input: IngestUsageInput,
  ): Promise<IngestPayload> {
    return this.take(
      context,
      'ingestUsage',
      'usage',
      input,
      input.records.map((record) => columnsOf(record)),
    );
  }

  @Mutation(() => IngestPayload, { description: 'Stores signaling dialogues. Bad ones are quarantined and never cost good ones.' })
  ingestDialogues(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => IngestDialoguesInput, { description: 'The batch.' }) input: IngestDialoguesInput,
  ): Promise<IngestPayload> {
    const dialogues = input.dialogues.map((dialogue) => columnsOf(dialogue));
    return this.take(context, 'ingestDialogues', 'dialogues', input, dialogues, input.strict ?? false);
  }

  @Mutation(() => IngestPayload, { description: 'Stores connection events. Bad ones are quarantined and never cost good ones.' })
  ingestConnectionEvents(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => IngestConnectionEventsInput, { description: 'The batch.' }) input: IngestConnectionEventsInput,
  ): Promise<IngestPayload> {
    return this.take(
      context,
      'ingestConnectionEvents',
      'connection-events',
      input,
      input.events.map((event) => columnsOf(event)),
    );
  }

  @Mutation(() => IngestPayload, { description: 'Stores device events. Bad ones are quarantined and never cost good ones.' })
  ingestDeviceEvents(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => IngestDeviceEventsInput, { description: 'The batch.' }) input: IngestDeviceEventsInput,
  ): Promise<IngestPayload> {
    return this.take(
      context,
      'ingestDeviceEvents',
      'device-events',
      input,
      input.events.map((event) => columnsOf(event)),
    );
  }

  private take(
    context: GraphqlContext,
    action: string,
    kind: Exclude<IngestKind, 'sims'>,
    input: BatchInput,
    records: readonly Readonly<Record<string, unknown>>[],
    strict = false,
  ): Promise<IngestPayload> {
    const { caller } = context;
    return withUserErrors<IngestPayload>(
      async () => {
        if (records.length > MOST_RECORDS)
          throw new SimwardenError('TOO_MANY_ITEMS', { given: records.length, most: MOST_RECORDS }, ['input']);
        const source = requireName(input.source, 'source');
        const batchKey = requireName(input.idempotencyKey, 'idempotencyKey');
        // This transaction also ends the operation's reads: the records are stored in transactions of their own, one for each client.
        await context.write(`telemetry.${action}`, caller.clientId, (tx) =>
          recordAudit(tx, context, {
            clientId: caller.clientId,
            action,
            subject: `Client:${caller.clientId}`,
            detail: { records: records.length, source, idempotencyKey: batchKey },
          }),
        );
        return { ...(await this.ingest.ingestRecords({ caller, kind, source, batchKey, records, strict })), userErrors: [] };
      },
      (userErrors) => ({ batchId: null, accepted: 0, duplicates: 0, rejected: 0, errors: [], userErrors }),
    );
  }
}

function requireName(given: string | null | undefined, field: string): string | null {
  if (given === null || given === undefined) return null;
  if (!/^[\x20-\x7e]{1,128}$/.test(given)) {
    throw new SimwardenError('BAD_USER_INPUT', { what: `${field} must be 1 to 128 printable ASCII characters.` }, [field]);
  }
  return given;
}

/** `startedAt` → `started_at`: the columns' names. */
function columnsOf(input: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([field, value]) => [field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
