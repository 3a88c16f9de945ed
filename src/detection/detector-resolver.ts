/** Detectors over GraphQL: what there is, and how each is configured and doing for a client. */
import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, requireClientId } from '../access';
import type { Transaction } from '../database/database';
import { Fleet, fleetLoader, loaderKey, Sim, simLoader } from '../fleet';
import { isOperator, type Caller } from '../graphql/caller';
import { defineLoader, type GraphqlContext } from '../graphql/context';
import { DateTimeScalar } from '../graphql/scalars';
import { DetectorConfigurationEntry, ShownDetector } from './detector-type';
import { readHealth, type DetectorHealth } from './evaluation/health';
import {
  CONFIGURATION_COLUMNS,
  OPERATOR,
  readConfiguration,
  type ConfigurationRow,
  type DetectorConfiguration,
} from './host/configuration';
import { ConfigurationScope, DetectorMode } from './host/modes';
import { DetectorRegistry } from './host/registry';

/** How detectors stand for one client; read once per operation, whatever is asked of how many detectors. */
interface Standing {
  readonly configuration: DetectorConfiguration;
  readonly health: ReadonlyMap<string, DetectorHealth>;
}

const standingLoader = defineLoader<number, Standing>('detectorStanding', (clientIds, context) =>
  context.read(async (tx) => {
    const standings: Standing[] = [];
    for (const clientId of clientIds)
      standings.push({ configuration: await readConfiguration(tx, clientId, []), health: await readHealth(tx, clientId) });
    return standings;
  }),
);

const CLIENT_ARGUMENT = 'The client that it is asked for; customers may leave it out. Operators who do get their default for all clients.';
const MOST_CONFIGURATIONS = 100;

@singleton()
@Resolver(() => ShownDetector)
export class DetectorResolver {
  constructor(private readonly registry: DetectorRegistry) {}

  @Query(() => [ShownDetector], { description: 'The detectors of this installation, in the order in which they are shown.' })
  detectors(): ShownDetector[] {
    return this.registry.all().map((detector) => ShownDetector.of(detector, this.registry.populationOptions(detector.meta.id)));
  }

  @Query(() => ShownDetector, { nullable: true, description: 'A detector by its own id, such as `threshold`; null when there is none.' })
  detector(@Arg('id', () => ID, { description: "The detector's own id." }) id: string): ShownDetector | null {
    const detector = this.registry.find(id);
    return detector ? ShownDetector.of(detector, this.registry.populationOptions(detector.meta.id)) : null;
  }

  @FieldResolver(() => DetectorMode, {
    nullable: true,
    description:
      "How it runs for the client's SIMs that have no configuration of their own or their fleet's; null for a client that is not yours to see.",
  })
  async mode(
    @Root() detector: ShownDetector,
    @Ctx() context: GraphqlContext,
    @Arg('client', () => ID, { nullable: true, description: CLIENT_ARGUMENT }) client?: string | null,
  ): Promise<DetectorMode | null> {
    const clientId = askedClient(context.caller, client);
    if (clientId === null) return null;
    const standing = await context.load(standingLoader, clientId);
    return DetectorMode[standing?.configuration.clientRow(detector.id)?.mode ?? this.registry.defaultMode(detector.id)];
  }

  @FieldResolver(() => [DetectorConfigurationEntry], {
    description: `How it was configured: for the client, its fleets and its SIMs, the first ${MOST_CONFIGURATIONS}. Empty where nobody did.`,
  })
  async configurations(
    @Root() detector: ShownDetector,
    @Ctx() context: GraphqlContext,
    @Arg('client', () => ID, { nullable: true, description: CLIENT_ARGUMENT }) client?: string | null,
  ): Promise<DetectorConfigurationEntry[]> {
    const clientId = askedClient(context.caller, client);
    if (clientId === null) return [];
    const rows = await context.read((tx) => readEntries(tx, clientId, detector.id));
    return rows.map((row) => DetectorConfigurationEntry.of(row));
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description:
      'Since when it is off for the client because it failed three times in a row; null where it works. Configuring it puts it on again.',
  })
  async failedSince(
    @Root() detector: ShownDetector,
    @Ctx() context: GraphqlContext,
    @Arg('client', () => ID, { nullable: true, description: CLIENT_ARGUMENT }) client?: string | null,
  ): Promise<Date | null> {
    const clientId = askedClient(context.caller, client);
    if (clientId === null) return null;
    const standing = await context.load(standingLoader, clientId);
    const health = standing?.health.get(detector.id);
    return health?.isOff(detector.version, standing!.configuration.lastConfigured(detector.id)) ? health.offSince : null;
  }
}

@singleton()
@Resolver(() => DetectorConfigurationEntry)
export class DetectorConfigurationResolver {
  @FieldResolver(() => Fleet, { nullable: true, description: 'The fleet it is for; null where it is not for a fleet.' })
  async fleet(@Root() entry: DetectorConfigurationEntry, @Ctx() context: GraphqlContext): Promise<Fleet | null> {
    return entry.scope === ConfigurationScope.FLEET ? context.load(fleetLoader, loaderKey(entry.clientId, entry.scopeId)) : null;
  }

  @FieldResolver(() => Sim, { nullable: true, description: 'The SIM it is for; null where it is not for a SIM.' })
  async sim(@Root() entry: DetectorConfigurationEntry, @Ctx() context: GraphqlContext): Promise<Sim | null> {
    return entry.scope === ConfigurationScope.SIM ? context.load(simLoader, loaderKey(entry.clientId, entry.scopeId)) : null;
  }
}

/** The client that a field is about: the caller's own, the one named, or the operator's defaults; null where it is not the caller's to see. */
function askedClient(caller: Caller, client: string | null | undefined): number | null {
  if (client === null || client === undefined) return isOperator(caller) ? OPERATOR : caller.clientId;
  const id = requireClientId(client);
  return maySee(caller, id) ? id.clientId : null;
}

function readEntries(tx: Transaction, clientId: number, detectorId: string): Promise<ConfigurationRow[]> {
  return tx.query<ConfigurationRow>(
    `SELECT ${CONFIGURATION_COLUMNS} FROM detector_configuration WHERE client_id = $1 AND detector_id = $2 ORDER BY scope, scope_id LIMIT ${MOST_CONFIGURATIONS}`,
    [clientId, detectorId],
  );
}
