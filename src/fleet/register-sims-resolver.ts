/** Registration of SIMs over GraphQL; POST /ingest/sims takes whole inventories. */
import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, registerEnumType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { IccidScalar, ImeiScalar, ImsiScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, userError, withUserErrors } from '../graphql/user-error';
import { loaderKey } from './client-batch';
import { SimRegistry, type RegistrationOutcome } from './registration';
import { Sim, simLoader } from './sim';
import { Criticality } from './states';

const MOST_SIMS = 1_000;

@InputType({ description: 'A SIM to register, or to add to what is known of it; what is left out stays as it is.' })
export class RegisterSimInput {
  @Field(() => IccidScalar, { description: "The SIM's number: 19 digits, or 20 with the check digit." })
  iccid: string;
  @Field(() => ImsiScalar, { nullable: true, description: 'Subscriber identity, 6 to 15 digits.' })
  imsi?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Telephone number in international form.' })
  msisdn?: string | null;
  @Field(() => SafeTextScalar, { description: 'Name of the client; made where it is missing.' })
  client: string;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Name of the fleet; made where it is missing.' })
  fleet?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Device model family; UNKNOWN for a new SIM where it is left out.' })
  family?: string | null;
  @Field(() => ImeiScalar, { nullable: true, description: 'An IMEI that the SIM may sit in, added to those it has.' })
  imei?: string | null;
  @Field(() => Criticality, {
    nullable: true,
    description: 'What it costs when the device is cut off; NORMAL for a new SIM where it is left out.',
  })
  criticality?: Criticality | null;
}

@InputType({ description: 'SIMs to register.' })
export class RegisterSimsInput {
  @Field(() => [RegisterSimInput], { description: 'The SIMs, at most 1,000.' })
  sims: RegisterSimInput[];
}

export enum RegistrationStatus {
  REGISTERED = 'REGISTERED',
  UPDATED = 'UPDATED',
  UNCHANGED = 'UNCHANGED',
  REJECTED = 'REJECTED',
}
registerEnumType(RegistrationStatus, {
  name: 'RegistrationStatus',
  description: 'What became of a SIM in a registration.',
  valuesConfig: {
    REGISTERED: { description: 'It is new.' },
    UPDATED: { description: 'It was known, and something of it changed.' },
    UNCHANGED: { description: 'It was known just so.' },
    REJECTED: { description: 'It was not taken; the error says why.' },
  },
});

@ObjectType({ description: 'What became of one SIM of the input.' })
export class RegisterSimResult {
  @Field(() => Int, { description: 'Place in the input, from 0.' })
  index: number;
  @Field(() => RegistrationStatus, { description: 'What became of it.' })
  status: RegistrationStatus;
  @Field(() => Sim, { nullable: true, description: 'The SIM; null where it was rejected.' })
  sim: Sim | null;
  @Field(() => UserError, { nullable: true, description: 'Why it was rejected; null where it was not.' })
  error: UserError | null;
}

@ObjectType({ description: 'What became of the SIMs.' })
export class RegisterSimsPayload {
  @Field(() => [RegisterSimResult], {
    description: 'One result for each SIM of the input, in its order; empty where nothing could be taken.',
  })
  results: RegisterSimResult[];
  @Field(() => [UserError], { description: 'What the caller can mend: each rejected SIM, or the request as a whole.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class RegisterSimsResolver {
  constructor(private readonly registry: SimRegistry) {}

  @Mutation(() => RegisterSimsPayload, {
    description:
      'Registers SIMs; makes missing clients and fleets. Good ones are taken though others are rejected; sending them again changes nothing. Records held back for these SIMs are stored now.',
  })
  registerSims(
    @Arg('input', () => RegisterSimsInput, { description: 'The SIMs.' }) input: RegisterSimsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<RegisterSimsPayload> {
    return withUserErrors<RegisterSimsPayload>(
      async () => {
        if (input.sims.length > MOST_SIMS)
          throw new SimwardenError('TOO_MANY_ITEMS', { given: input.sims.length, most: MOST_SIMS }, ['sims']);
        const rows = input.sims.map((sim, index) => ({ line: index, ...withNulls(sim) }));
        const outcomes = await this.registry.register(rows, context.caller, (name, clientId, work) => context.write(name, clientId, work));
        const results = await Promise.all(outcomes.map((outcome) => resultOf(outcome, context)));
        return { results, userErrors: results.flatMap((result) => result.error ?? []) };
      },
      (userErrors) => ({ results: [], userErrors }),
    );
  }
}

function withNulls(sim: RegisterSimInput) {
  return {
    iccid: sim.iccid,
    imsi: sim.imsi ?? null,
    msisdn: sim.msisdn ?? null,
    client: sim.client,
    fleet: sim.fleet ?? null,
    family: sim.family ?? null,
    imei: sim.imei ?? null,
    criticality: sim.criticality ?? null,
  };
}

async function resultOf(
  { line, status, clientId, simId, error }: RegistrationOutcome,
  context: GraphqlContext,
): Promise<RegisterSimResult> {
  const column = error?.path ?? (typeof error?.details['column'] === 'string' ? [error.details['column']] : []);
  return {
    index: line,
    status: RegistrationStatus[status],
    sim: clientId !== undefined && simId !== undefined ? await context.load(simLoader, loaderKey(clientId, simId)) : null,
    error: error ? userError(error, ['sims', String(line), ...column]) : null,
  };
}
