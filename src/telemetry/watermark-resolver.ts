/** How fresh each source is, over GraphQL. */
import { Arg, Args, Ctx, Field, FieldResolver, Float, ID, InputType, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { singleton } from 'tsyringe';
import { emptyPage, readScope, RowFilter } from '../access';
import { Client, clientLoader } from '../fleet';
import { connectionOf, decodeCursor, PageArgs, pageOf, type Connection } from '../graphql/connection';
import type { GraphqlContext } from '../graphql/context';
import { DateTimeScalar } from '../graphql/scalars';
import { ImportKind } from './import-kind';

interface WatermarkRow {
  client_id: number;
  source: string;
  kind: ImportKind;
  watermark: Date;
  last_received_at: Date;
}

@ObjectType({ description: 'How far a source of records is. A SIM is never called silent while its source is late.' })
export class SourceWatermark {
  @Field(() => String, { description: 'Name of the source: the header simwarden-source, else the id of the sending key.' })
  source: string;
  @Field(() => ImportKind, { description: 'Kind of records that it delivers.' })
  kind: ImportKind;
  @Field(() => DateTimeScalar, { description: 'Latest event time that it delivered.' })
  watermark: Date;
  @Field(() => DateTimeScalar, { description: 'When it delivered last.' })
  lastReceivedAt: Date;
  clientId: number;
}

@ObjectType({ description: 'A page of sources.' })
export class SourceWatermarkConnection extends connectionOf(SourceWatermark, 'SourceWatermark') {}

@InputType({ description: 'Which sources to show; all conditions hold at once.' })
export class SourceWatermarkFilter {
  @Field(() => ID, {
    nullable: true,
    description: "Only sources of this client's records. Operators who leave it out see all, each source as a whole included.",
  })
  client?: string | null;
  @Field(() => ImportKind, { nullable: true, description: 'Only sources of this kind.' })
  kind?: ImportKind | null;
}

@singleton()
@Resolver(() => SourceWatermark)
export class SourceWatermarkResolver {
  @Query(() => SourceWatermarkConnection, { description: 'How fresh each source is, by client, source and kind.' })
  async sourceWatermarks(
    @Ctx() context: GraphqlContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SourceWatermarkFilter, { nullable: true, description: 'Which sources to show.' })
    filter?: SourceWatermarkFilter | null,
  ): Promise<Connection<SourceWatermark>> {
    const scope = readScope(context.caller, filter?.client);
    if (scope === null) return emptyPage(page);
    const shown = conditions(scope.clientId, filter?.kind);
    if (page.after)
      shown.and('(client_id, source, kind) > (?::int4, ?::text, ?::text)', ...decodeCursor(page.after, ['number', 'text', 'text']));
    const rows = await context.read((tx) =>
      tx.query<WatermarkRow>(
        `SELECT client_id, source, kind, watermark, last_received_at FROM source_watermark ${shown.where}
        ORDER BY client_id, source, kind LIMIT ${page.first + 1}`,
        shown.parameters,
      ),
    );
    const count = async (): Promise<number> => {
      const all = conditions(scope.clientId, filter?.kind);
      const [counted] = await context.read((tx) =>
        tx.query<{ count: number }>(`SELECT count(*)::int4 AS count FROM source_watermark ${all.where}`, all.parameters),
      );
      return counted!.count;
    };
    return pageOf(rows, page, (row) => [row.client_id, row.source, row.kind], watermarkOf, count);
  }

  @FieldResolver(() => Float, { description: 'Seconds from the watermark to now: how late the source is at most, 0 or more.' })
  latenessSeconds(@Root() source: SourceWatermark, @Ctx() context: GraphqlContext): number {
    return Math.max(0, (context.clock.now().getTime() - source.watermark.getTime()) / 1000);
  }

  @FieldResolver(() => Client, { nullable: true, description: 'The client whose records these are; null: the source as a whole.' })
  client(@Root() source: SourceWatermark, @Ctx() context: GraphqlContext): Promise<Client | null> | null {
    return source.clientId === 0 ? null : context.load(clientLoader, `${source.clientId}:${source.clientId}`);
  }
}

function watermarkOf(row: WatermarkRow): SourceWatermark {
  return Object.assign(new SourceWatermark(), {
    source: row.source,
    kind: row.kind,
    watermark: row.watermark,
    lastReceivedAt: row.last_received_at,
    clientId: row.client_id,
  });
}

function conditions(clientId: number | null, kind: ImportKind | null | undefined): RowFilter {
  const filter = new RowFilter();
  if (clientId !== null) filter.and('client_id = ?', clientId);
  if (kind) filter.and('kind = ?', kind);
  return filter;
}
