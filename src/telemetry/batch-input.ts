/** What every batch that comes over GraphQL says about itself. */
import { Field, InputType } from 'type-graphql';
import { SafeTextScalar } from '../graphql/scalars';

@InputType({ description: 'Where a batch comes from and how a repeat of it is known.' })
export class BatchInput {
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Names the source, 1 to 128 printable ASCII characters; default: the id of the calling key.',
  })
  source?: string | null;
  @Field(() => SafeTextScalar, {
    nullable: true,
    description: 'Names the batch, 1 to 128 printable ASCII characters: sent again, it is answered, not stored. Default: its content.',
  })
  idempotencyKey?: string | null;
}
