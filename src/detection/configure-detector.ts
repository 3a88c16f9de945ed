/** configureDetector: how a detector runs for a client, a fleet or a SIM; what it judged before is judged again. */
import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { recordAudit } from '../access';
import type { Transaction } from '../database/database';
import type { Detector } from '../detector';
import { SimwardenError } from '../errors';
import type { GraphqlContext } from '../graphql/context';
import { JsonScalar } from '../graphql/scalars';
import { UserError, withUserErrors } from '../graphql/user-error';
import { DetectorScopeInput, requireTarget, targetOf, type Target } from './detector-scope';
import { DetectorConfigurationEntry, ShownDetector } from './detector-type';
import { EvaluationRequests } from './evaluation/requests';
import { CONFIGURATION_COLUMNS, OPERATOR, type ConfigurationRow } from './host/configuration';
import { effectiveOptions } from './host/host-options';
import { ConfigurationScope, DetectorMode } from './host/modes';
import { DetectorRegistry } from './host/registry';

@InputType({ description: 'How a detector is to run.' })
export class ConfigureDetectorInput {
  @Field(() => ID, { description: "The detector's own id: `threshold`." })
  detector: string;
  @Field(() => DetectorScopeInput, {
    nullable: true,
    description:
      "What it is for; the most specific configuration wins whole. Left out: the caller's client; for operators the default of all clients.",
  })
  scope?: DetectorScopeInput | null;
  @Field(() => DetectorMode, {
    nullable: true,
    description:
      'How it runs there. Left out: what was configured there is taken away, and what is less specific holds; options must be left out too.',
  })
  mode?: DetectorMode | null;
  @Field(() => JsonScalar, {
    nullable: true,
    description:
      "An object of options as the detector's `optionsSchema` says, complete: those left out get their defaults. Left out: the options stay. Of a detector of the population they hold for all clients: only operators give them, without a scope.",
  })
  options?: unknown;
}

@ObjectType({ description: 'The detector as it is configured now.' })
export class ConfigureDetectorPayload {
  @Field(() => ShownDetector, { nullable: true, description: 'The detector; null where there are user errors.' })
  detector: ShownDetector | null;
  @Field(() => DetectorConfigurationEntry, {
    nullable: true,
    description: 'The configuration that was set; null where it was taken away, or there are user errors.',
  })
  configuration: DetectorConfigurationEntry | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty where it was done.' })
  userErrors: UserError[];
}

@singleton()
@Resolver()
export class ConfigureDetectorResolver {
  constructor(
    private readonly registry: DetectorRegistry,
    private readonly evaluations: EvaluationRequests,
  ) {}

  @Mutation(() => ConfigureDetectorPayload, {
    description:
      'Configures a detector for a client, a fleet or a SIM. The last closed day and the open ones are judged again; a detector of the population follows with its next run. Puts a failed detector on again.',
  })
  async configureDetector(
    @Arg('input', () => ConfigureDetectorInput, { description: 'How it is to run.' }) input: ConfigureDetectorInput,
    @Ctx() context: GraphqlContext,
  ): Promise<ConfigureDetectorPayload> {
    return withUserErrors<ConfigureDetectorPayload>(
      async () => {
        const detector = this.registry.get(input.detector);
        const target = targetOf(context.caller, input.scope ?? {});
        requireOptionsOfAll(detector, target, input);
        const options = checkOptions(detector, input);
        const configuration = await context.write('detection.configureDetector', target.clientId, async (tx) => {
          await requireTarget(tx, target);
          const row = await store(tx, context, detector, target, input.mode ?? null, options);
          if (detector.meta.scope === 'client') await this.judgeAgain(tx, target);
          return row;
        });
        return { detector: ShownDetector.of(detector, this.registry.populationOptions(detector.meta.id)), configuration, userErrors: [] };
      },
      (userErrors) => ({ detector: null, configuration: null, userErrors }),
    );
  }

  private async judgeAgain(tx: Transaction, { clientId, scope, scopeId }: Target): Promise<void> {
    if (scope === ConfigurationScope.SIM) return this.evaluations.settingsChanged(tx, clientId, [scopeId]);
    if (scope === ConfigurationScope.FLEET) {
      const sims = await tx.query<{ sim_id: string }>(
        'SELECT sim_id FROM sim WHERE client_id = $1 AND fleet_id = $2 AND closed_at IS NULL ORDER BY sim_id',
        [clientId, scopeId],
      );
      return this.evaluations.settingsChanged(
        tx,
        clientId,
        sims.map((row) => row.sim_id),
      );
    }
    if (clientId !== OPERATOR) return this.evaluations.settingsChanged(tx, clientId, 'ALL');
    const clients = await tx.query<{ client_id: number }>('SELECT client_id FROM client WHERE client_id > 0 ORDER BY client_id');
    for (const client of clients) await this.evaluations.settingsChanged(tx, client.client_id, 'ALL');
  }
}

/** Models of the population are fitted on all clients together, so no other options than the operator's are ever read. */
function requireOptionsOfAll({ meta }: Detector, { clientId, scope }: Target, { options }: ConfigureDetectorInput): void {
  if (meta.scope !== 'population' || options === undefined || options === null) return;
  if (clientId === OPERATOR && scope === ConfigurationScope.CLIENT) return;
  const what = `${meta.id} judges the whole population with one set of options, which the operator configures for all clients. Leave options out here; the mode may be set.`;
  throw new SimwardenError('BAD_USER_INPUT', { what }, ['options']);
}

/** The options as given, once they are known to fit; null: left out. */
function checkOptions(detector: Detector, { mode, options }: ConfigureDetectorInput): Record<string, unknown> | null {
  if (options === undefined || options === null) return null;
  if (!mode)
    throw new SimwardenError('BAD_USER_INPUT', { what: 'Options need a mode; without one the configuration is taken away.' }, ['mode']);
  const answer = effectiveOptions(detector, options);
  if ('errors' in answer)
    throw new SimwardenError('OPTIONS_INVALID', { detector: detector.meta.id, what: answer.errors.join('; ') }, ['options']);
  return options as Record<string, unknown>;
}

async function store(
  tx: Transaction,
  context: GraphqlContext,
  detector: Detector,
  target: Target,
  mode: DetectorMode | null,
  options: Record<string, unknown> | null,
): Promise<DetectorConfigurationEntry | null> {
  const { clientId, scope, scopeId } = target;
  const key = [clientId, detector.meta.id, scope, scopeId];
  const subject =
    scope === ConfigurationScope.CLIENT ? `Client:${clientId}` : `${scope === ConfigurationScope.SIM ? 'Sim' : 'Fleet'}:${scopeId}`;
  await recordAudit(tx, context, {
    clientId,
    action: 'configureDetector',
    subject,
    detail: { detector: detector.meta.id, mode, ...(options ? { options } : {}) },
  });
  if (mode === null) {
    await tx.query('DELETE FROM detector_configuration WHERE client_id = $1 AND detector_id = $2 AND scope = $3 AND scope_id = $4', key);
    return null;
  }
  const [row] = await tx.query<ConfigurationRow>(
    `INSERT INTO detector_configuration AS kept (client_id, detector_id, scope, scope_id, mode, options, updated_at, updated_by)
     VALUES ($1, $2, $3, $4, $5, coalesce($6::jsonb, '{}'), $7, $8)
     ON CONFLICT (client_id, detector_id, scope, scope_id) DO UPDATE SET mode = EXCLUDED.mode,
       options = ${options === null ? 'kept.options' : 'EXCLUDED.options'}, updated_at = EXCLUDED.updated_at, updated_by = EXCLUDED.updated_by
     RETURNING ${CONFIGURATION_COLUMNS}`,
    [...key, mode, options === null ? null : JSON.stringify(options), context.clock.now(), context.caller.name],
  );
  return DetectorConfigurationEntry.of(row!);
}
