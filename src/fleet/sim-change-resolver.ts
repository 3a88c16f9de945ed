/** Changes of SIMs over GraphQL. */
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, requireClientId } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, type GlobalId } from '../graphql/global-id';
import { DateTimeScalar, ImeiScalar, SafeTextScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { findSim, Sim } from './sim';
import { SimChanges, simNotFound } from './sim-changes';
import { SimMover } from './sim-mover';
import { Criticality, SimLifecycle } from './states';

@InputType({ description: 'Changes of the device that a SIM sits in; what is left out stays as it is.' })
export class UpdateDeviceInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'What to call it, 1 to 200 characters on one line; null takes the name away.',
  })
  name?: string | null;
  @Field(() => SafeTextScalar, { nullable: true, description: 'Device model family, 1 to 200 characters on one line.' })
  family?: string | null;
  @Field(() => Criticality, { nullable: true, description: 'What it costs when the device is cut off.' })
  criticality?: Criticality | null;
}

@InputType({ description: 'Changes of a SIM; what is left out stays as it is.' })
export class UpdateSimInput {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => SimLifecycle, { nullable: true, description: 'Where the subscription stands from now on.' })
  lifecycle?: SimLifecycle | null;
  @Field(() => ID, {
    nullable: true,
    description: 'The fleet that the SIM is in from now on; null takes it out of any. Usage of before stays with the former fleet.',
  })
  fleet?: string | null;
  @Field(() => UpdateDeviceInput, { nullable: true, description: 'Changes of its device.' })
  device?: UpdateDeviceInput | null;
}

@InputType({ description: 'An IMEI that a SIM may sit in.' })
export class BindImeiInput {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => ImeiScalar, { description: 'IMEI or IMEISV; the first 14 digits count.' })
  imei: string;
}

@InputType({ description: 'An IMEI that a SIM may no longer sit in.' })
export class UnbindImeiInput {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => ImeiScalar, { description: 'IMEI or IMEISV; the first 14 digits count.' })
  imei: string;
}

@InputType({ description: 'A SIM that changes hands.' })
export class MoveSimInput {
  @Field(() => ID, { description: 'The SIM.' })
  sim: string;
  @Field(() => ID, { description: 'The client that it belongs to from then on.' })
  client: string;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'From when; default now, at most now. Records of earlier times go to the old client; records that are stored stay where they are.',
  })
  at?: Date | null;
  @Field(() => Boolean, {
    defaultValue: false,
    description: 'True where the device goes along: its family, criticality and bound IMEIs are taken over. Default false.',
  })
  keepDevice: boolean;
}

@ObjectType({ description: 'The SIM that was changed.' })
export class UpdateSimPayload {
  @Field(() => Sim, { nullable: true, description: 'The SIM; null where there are user errors.' })
  sim: Sim | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the SIM was changed.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The SIM whose binding was made.' })
export class BindImeiPayload {
  @Field(() => Sim, { nullable: true, description: 'The SIM; null where there are user errors.' })
  sim: Sim | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the IMEI is bound.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The SIM whose binding was ended.' })
export class UnbindImeiPayload {
  @Field(() => Sim, { nullable: true, description: 'The SIM; null where there are user errors.' })
  sim: Sim | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the IMEI is not bound.' })
  userErrors: UserError[];
}

@ObjectType({ description: 'The SIM that was moved.' })
export class MoveSimPayload {
  @Field(() => Sim, { nullable: true, description: 'The SIM under its new client; null where there are user errors.' })
  sim: Sim | null;
  @Field(() => Sim, {
    nullable: true,
    description: "What stays with the old client: the SIM's history, closed; null where there are user errors.",
  })
  closedSim: Sim | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where the SIM was moved.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class SimChangeResolver {
  constructor(
    private readonly changes: SimChanges,
    private readonly mover: SimMover,
  ) {}

  @Mutation(() => UpdateSimPayload, { description: 'Changes a SIM: lifecycle, fleet, device.' })
  updateSim(
    @Arg('input', () => UpdateSimInput, { description: 'What to change.' }) input: UpdateSimInput,
    @Ctx() context: GraphqlContext,
  ): Promise<UpdateSimPayload> {
    return changed('fleet.updateSim', context, input.sim, (tx, id) =>
      this.changes.update(tx, context, id.clientId, id.key, {
        lifecycle: input.lifecycle ?? undefined,
        fleetId: fleetIdOf(input.fleet, id),
        deviceName: input.device?.name,
        family: input.device?.family ?? undefined,
        criticality: input.device?.criticality ?? undefined,
      }),
    );
  }

  @Mutation(() => BindImeiPayload, { description: 'Allows a SIM to sit in a device with this IMEI. Binding it again changes nothing.' })
  bindImei(
    @Arg('input', () => BindImeiInput, { description: 'The binding.' }) input: BindImeiInput,
    @Ctx() context: GraphqlContext,
  ): Promise<BindImeiPayload> {
    return changed('fleet.bindImei', context, input.sim, (tx, id) => this.changes.bindImei(tx, context, id.clientId, id.key, input.imei));
  }

  @Mutation(() => UnbindImeiPayload, {
    description: 'Ends a binding. Ending it again changes nothing; a SIM without any binding may sit anywhere.',
  })
  unbindImei(
    @Arg('input', () => UnbindImeiInput, { description: 'The binding.' }) input: UnbindImeiInput,
    @Ctx() context: GraphqlContext,
  ): Promise<UnbindImeiPayload> {
    return changed('fleet.unbindImei', context, input.sim, (tx, id) =>
      this.changes.unbindImei(tx, context, id.clientId, id.key, input.imei),
    );
  }

  @Mutation(() => MoveSimPayload, {
    description:
      'Moves a SIM to another client. Its history stays with the old one, its open alerts are resolved, pending blocks cancelled; a blocked SIM stays blocked. Asking again changes nothing.',
  })
  moveSim(
    @Arg('input', () => MoveSimInput, { description: 'The move.' }) input: MoveSimInput,
    @Ctx() context: GraphqlContext,
  ): Promise<MoveSimPayload> {
    return withUserErrors<MoveSimPayload>(
      async () => {
        const id = requireGlobalId(input.sim, 'Sim', 'int8');
        if (!maySee(context.caller, id)) throw simNotFound();
        const to = requireClientId(input.client);
        if (!maySee(context.caller, to)) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
        const moved = await this.mover.move(context, {
          clientId: id.clientId,
          simId: id.key,
          toClientId: to.clientId,
          at: input.at ?? context.clock.now(),
          keepDevice: input.keepDevice,
        });
        return { ...moved, userErrors: [] };
      },
      (userErrors) => ({ sim: null, closedSim: null, userErrors }),
    );
  }
}

/** Runs a change in its transaction and answers the SIM as it is then. */
function changed(
  name: string,
  context: GraphqlContext,
  sim: string,
  change: (tx: Transaction, id: GlobalId) => Promise<void>,
): Promise<{ sim: Sim | null; userErrors: UserError[] }> {
  return withUserErrors<{ sim: Sim | null; userErrors: UserError[] }>(
    async () => {
      const id = requireGlobalId(sim, 'Sim', 'int8');
      if (!maySee(context.caller, id)) throw simNotFound();
      const after = await context.write(name, id.clientId, async (tx) => {
        await change(tx, id);
        return findSim(tx, id.clientId, id.key);
      });
      return { sim: after, userErrors: [] };
    },
    (userErrors) => ({ sim: null, userErrors }),
  );
}

/** A fleet of another client is as missing as one that isn't there. */
function fleetIdOf(fleet: string | null | undefined, sim: GlobalId): string | null | undefined {
  if (fleet === null || fleet === undefined) return fleet;
  const id = requireGlobalId(fleet, 'Fleet');
  if (id === null || id.clientId !== sim.clientId) throw new SimwardenError('NOT_FOUND', { what: 'fleet' }, ['fleet']);
  return id.key;
}
