/** Who the caller is, as the server sees it. */
import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { Role } from '../graphql/caller';
import type { GraphqlContext } from '../graphql/context';
import { DateTimeScalar } from '../graphql/scalars';

@ObjectType({ description: 'Who is calling.' })
export class Viewer {
  @Field(() => Role, { description: 'What the credential may do.' })
  role: Role;
  @Field(() => String, { description: 'Name of the credential, as the audit log shows it.' })
  name: string;
  @Field(() => String, { description: 'The person answerable for the credential.' })
  person: string;
  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the credential ends by itself, and open sockets with it; null: never.',
  })
  expiresAt: Date | null;
  /** 0 for the operator. */
  clientId: number;
}

@singleton()
@Resolver()
export class ViewerResolver {
  @Query(() => Viewer, { description: 'Who is calling, and with which rights.' })
  viewer(@Ctx() { caller }: GraphqlContext): Viewer {
    const { role, name, person, expiresAt, clientId } = caller;
    return Object.assign(new Viewer(), { role, name, person, expiresAt, clientId });
  }
}
