/** What a caller of a mutation can mend, as data. */
import { Field, ObjectType } from 'type-graphql';
import { SimwardenError } from '../errors';

@ObjectType({ description: 'A mistake that the caller can mend.' })
export class UserError {
  @Field(() => String, { description: 'Code from the error catalogue, stable.' })
  code: string;
  @Field(() => String, { description: 'What happened, what was given, what to do.' })
  message: string;
  @Field(() => [String], {
    nullable: true,
    description: 'Path of the input field at fault, from `input` down; null when it concerns the whole.',
  })
  path: string[] | null;
}

export function userError(error: SimwardenError, path: string[] | null = null): UserError {
  return { code: error.code, message: error.message, path };
}

/** Runs a mutation's work; a SimwardenError that a caller can mend becomes `userErrors`, anything else is thrown on. */
export async function withUserErrors<Payload extends { userErrors: UserError[] }>(
  work: () => Promise<Payload>,
  failed: (errors: UserError[]) => Payload,
): Promise<Payload> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SimwardenError && error.mendable) return failed([userError(error, error.path)]);
    throw error;
  }
}
