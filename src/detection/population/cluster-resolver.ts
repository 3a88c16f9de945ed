/** clusters: the kinds of devices that the population falls into, and how many of a client's SIMs are of each. */
import { Arg, Ctx, Field, Float, ID, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { readScope } from '../../access';
import type { GraphqlContext } from '../../graphql/context';
import { JsonScalar } from '../../graphql/scalars';
import { OPERATOR } from './run-record';

@ObjectType({ description: 'A kind of devices that signal alike; each device is measured against its own.' })
export class Cluster {
  @Field(() => Int, { description: 'Its number, 0 or more, which it keeps when clusters are fitted again and it is much the same.' })
  number: number;
  @Field(() => String, { description: 'What it is like, from its means: "stationary, 2G/3G, low volume".' })
  description: string;
  @Field(() => Float, { description: 'Share of the whole population, 0 to 1.' })
  weight: number;
  @Field(() => JsonScalar, { description: 'Mean of features per device and day, by the name in the feature catalogue.' })
  means: unknown;
  @Field(() => Boolean, { description: 'true where it was there before clusters were fitted last.' })
  continues: boolean;
  @Field(() => Int, { description: 'SIMs of it: of the client asked for, or for operators who name none, of all.' })
  sims: number;
  @Field(() => Int, { description: 'Number of the generation of models that it belongs to: 1, 2, 3 …' })
  generation: number;
}

@singleton()
@Resolver()
export class ClusterResolver {
  @Query(() => [Cluster], {
    description:
      'The clusters of the newest generation of models, which is the one that was trained through the latest day, in the order of their numbers; empty before the first. Those of back-tests are not shown.',
  })
  async clusters(
    @Ctx() context: GraphqlContext,
    @Arg('client', () => ID, { nullable: true, description: 'Counts the SIMs of this client. Operators who leave it out count all.' })
    client?: string | null,
  ): Promise<Cluster[]> {
    const scope = readScope(context.caller, client);
    if (scope === null) return [];
    return context.read(async (tx) => {
      const clusters = await tx.query<Omit<Cluster, 'sims'>>(
        `SELECT cluster AS number, description, weight, means, continues, generation FROM population_cluster
          WHERE client_id = $1 AND generation =
            (SELECT generation FROM population_cluster WHERE client_id = $1 ORDER BY to_day DESC NULLS LAST, generation DESC LIMIT 1)
          ORDER BY cluster`,
        [OPERATOR],
      );
      if (clusters.length === 0) return [];
      const counts = await tx.query<{ cluster: number; sims: number }>(
        `SELECT cluster, count(*)::int4 AS sims FROM sim_cluster
          WHERE ${scope.clientId === null ? '' : 'client_id = $2 AND '}generation = $1 GROUP BY cluster`,
        scope.clientId === null ? [clusters[0]!.generation] : [clusters[0]!.generation, scope.clientId],
      );
      const sims = new Map(counts.map((row) => [row.cluster, row.sims]));
      return clusters.map((cluster) => Object.assign(new Cluster(), cluster, { sims: sims.get(cluster.number) ?? 0 }));
    });
  }
}
