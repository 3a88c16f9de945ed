/** The blocking mutations. */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee } from '../access';
import type { Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { toGlobalId, requireGlobalId } from '../graphql/global-id';
import type { GraphqlContext } from '../graphql/context';
import { idempotently } from '../graphql/idempotency';
import { userError, withUserErrors, type UserError } from '../graphql/user-error';
import type { SimResult } from './block-actions';
import type { BlockImpact } from './block-impact';
import {
  CancelBlockInput,
  CancelBlockPayload,
  ConfirmBlockInput,
  ConfirmBlockPayload,
  RequestBlockInput,
  RequestBlockPayload,
  UnblockSimInput,
  UnblockSimPayload,
  type BlockResult,
} from './block-inputs';
import { BlockRequest } from './block-request';
import { findRequest } from './block-store';
import { filteredSims, namedSims } from './block-targets';
import { cancelBlock } from './cancel-block';
import { confirmBlock } from './confirm-block';
import { requestBlock } from './request-block';
import { ShownImpact } from './shown-impact';
import { unblockSims } from './unblock-sims';

/** What a mutation did, as plain JSON, so that a repeat with the same idempotency key answers the same. */
interface Done {
  readonly requestId: string | null;
  readonly results: BlockResult[];
  readonly impact?: BlockImpact | null;
  readonly secondPersonReason?: string | null;
}

const nothing = (
  userErrors: UserError[],
  results: BlockResult[],
): { blockRequest: null; results: BlockResult[]; userErrors: UserError[] } => ({ blockRequest: null, results, userErrors });

/** Nothing could be done for any SIM: rolls back (so that no idempotency key remembers it) and is answered with each SIM's reason. */
class NothingDone extends Error {
  constructor(
    readonly reason: UserError,
    readonly results: BlockResult[],
  ) {
    super(reason.message);
  }
}

async function answered<Payload extends { userErrors: UserError[] }>(
  work: () => Promise<Payload>,
  failed: (userErrors: UserError[], results: BlockResult[]) => Payload,
): Promise<Payload> {
  try {
    return await withUserErrors(work, (userErrors) => failed(userErrors, []));
  } catch (error) {
    if (error instanceof NothingDone) return failed([error.reason], error.results);
    throw error;
  }
}

function requireSomeDone(results: BlockResult[]): void {
  const reason = results[0]?.error;
  if (reason && results.every((result) => result.error !== null)) throw new NothingDone(reason, results);
}

@singleton()
@Resolver()
export class BlockMutations {
  @Mutation(() => RequestBlockPayload, {
    description:
      'Step one of a block: says what it would do and makes a request. SIMs go to BLOCK_REQUESTED; nothing reaches the network before `confirmBlock`.',
  })
  async requestBlock(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => RequestBlockInput, { description: 'Which SIMs, how and why.' }) input: RequestBlockInput,
  ): Promise<RequestBlockPayload> {
    return answered<RequestBlockPayload>(
      async () => {
        const { clientId, given } = namedSims(context.caller, input);
        const incidentId = causeKey(context, clientId, input.incident, 'Incident');
        const alertId = causeKey(context, clientId, input.alert, 'Alert');
        return context.write('block.request', clientId, async (transaction) => {
          const done = await idempotently(
            transaction,
            { clientId, operation: 'requestBlock', key: keyOf(input), request: input },
            async (): Promise<Done> => {
              const targets = await targetsOf(transaction, context, clientId, given, input);
              const made = await requestBlock(transaction, context, {
                clientId,
                simIds: targets.simIds,
                mode: input.mode,
                reason: input.reason,
                incidentId,
                alertId,
                restoreAt: input.restoreAt ?? null,
                dryRun: input.dryRun,
                requestedByDetector: false,
              });
              const results = shownResults(clientId, given, [...made.results, ...targets.missing]);
              requireSomeDone(results);
              return { requestId: made.requestId, results, impact: made.impact, secondPersonReason: made.secondPersonReason };
            },
          );
          return {
            blockRequest: await shownRequest(transaction, clientId, done.requestId),
            results: done.results,
            userErrors: [],
            impact: done.impact ? ShownImpact.of(clientId, done.impact) : null,
            secondPersonReason: done.secondPersonReason ?? null,
          };
        });
      },
      (userErrors, results) => ({ ...nothing(userErrors, results), impact: null, secondPersonReason: null }),
    );
  }

  @Mutation(() => ConfirmBlockPayload, {
    description:
      'Step two of a block: orders it from the network. Another person must do it where `needsSecondPerson` says so; a cap limits the SIMs blocked per hour.',
  })
  async confirmBlock(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ConfirmBlockInput, { description: 'Which request.' }) input: ConfirmBlockInput,
  ): Promise<ConfirmBlockPayload> {
    return answered(
      () =>
        this.decide(context, 'confirmBlock', input, (transaction, clientId, requestId) =>
          confirmBlock(transaction, context, clientId, requestId),
        ),
      nothing,
    );
  }

  @Mutation(() => CancelBlockPayload, {
    description:
      'Calls a block off: a request that waits ends; of a confirmed one, what the network has not been told is taken back. The rest is released by `unblockSim`.',
  })
  async cancelBlock(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => CancelBlockInput, { description: 'Which request, and why.' }) input: CancelBlockInput,
  ): Promise<CancelBlockPayload> {
    return answered(
      () =>
        this.decide(context, 'cancelBlock', input, (transaction, clientId, requestId) =>
          cancelBlock(transaction, context, clientId, requestId, input.reason),
        ),
      nothing,
    );
  }

  @Mutation(() => UnblockSimPayload, {
    description:
      'Releases SIMs wherever their block stands: what waits or was not sent is taken back at once, the rest is undone through the network.',
  })
  async unblockSim(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => UnblockSimInput, { description: 'Which SIMs, and why.' }) input: UnblockSimInput,
  ): Promise<UnblockSimPayload> {
    return answered<UnblockSimPayload>(async () => {
      const { clientId, given } = namedSims(context.caller, input);
      return context.write('block.release', clientId, async (transaction) => {
        const done = await idempotently(
          transaction,
          { clientId, operation: 'unblockSim', key: keyOf(input), request: input },
          async (): Promise<Done> => {
            const targets = await targetsOf(transaction, context, clientId, given, input);
            const released = await unblockSims(transaction, context, {
              clientId,
              simIds: targets.simIds,
              reason: input.reason,
              dryRun: input.dryRun,
            });
            const results = shownResults(clientId, given, [...released.results, ...targets.missing]);
            requireSomeDone(results);
            return { requestId: released.requestId, results };
          },
        );
        return { blockRequest: await shownRequest(transaction, clientId, done.requestId), results: done.results, userErrors: [] };
      });
    }, nothing);
  }

  private async decide(
    context: GraphqlContext,
    operation: 'confirmBlock' | 'cancelBlock',
    input: ConfirmBlockInput,
    work: (transaction: Transaction, clientId: number, requestId: string) => Promise<{ readonly results: readonly SimResult[] }>,
  ): Promise<{ blockRequest: BlockRequest | null; results: BlockResult[]; userErrors: UserError[] }> {
    const id = requireGlobalId(input.blockRequest, 'BlockRequest');
    if (!maySee(context.caller, id)) throw new SimwardenError('NOT_FOUND', { what: 'block request' }, ['blockRequest']);
    const { clientId, key: requestId } = id;
    return context.write(`block.${operation}`, clientId, async (transaction) => {
      const done = await idempotently(
        transaction,
        { clientId, operation, key: input.idempotencyKey, request: input },
        async (): Promise<Done> => {
          const { results } = await work(transaction, clientId, requestId);
          return { requestId, results: shownResults(clientId, null, results) };
        },
      );
      return { blockRequest: await shownRequest(transaction, clientId, done.requestId), results: done.results, userErrors: [] };
    });
  }
}

/** A dry run leaves nothing behind that a repeat could be answered from. */
function keyOf(input: { readonly idempotencyKey?: string | null; readonly dryRun: boolean }): string | null {
  return input.dryRun ? null : (input.idempotencyKey ?? null);
}

function causeKey(context: GraphqlContext, clientId: number, id: string | null | undefined, type: 'Incident' | 'Alert'): string | null {
  if (id === null || id === undefined) return null;
  const parsed = requireGlobalId(id, type);
  if (maySee(context.caller, parsed) && parsed.clientId === clientId) return parsed.key;
  throw new SimwardenError('NOT_FOUND', { what: type.toLowerCase() }, [type.toLowerCase()]);
}

/** The SIMs to act on, and a result for each id that can't name one. */
async function targetsOf(
  transaction: Transaction,
  context: GraphqlContext,
  clientId: number,
  given: ReadonlyMap<string, string | null> | null,
  input: RequestBlockInput | UnblockSimInput,
): Promise<{ simIds: string[]; missing: SimResult[] }> {
  if (given === null) return { simIds: await filteredSims(transaction, context.caller, clientId, input.filter!), missing: [] };
  const simIds = [...new Set([...given.values()].filter((simId) => simId !== null))];
  const missing = [...given]
    .filter(([, simId]) => simId === null)
    .map(([id]): SimResult => ({ simId: id, state: null, error: new SimwardenError('NOT_FOUND', { what: 'SIM' }) }));
  return { simIds, missing };
}

function shownResults(clientId: number, given: ReadonlyMap<string, string | null> | null, results: readonly SimResult[]): BlockResult[] {
  return results.map((result) => ({
    // An id that can't name a SIM is shown as it was given.
    simId: given?.has(result.simId) ? result.simId : toGlobalId('Sim', clientId, result.simId),
    state: result.state,
    error: result.error ? userError(result.error) : null,
  }));
}

async function shownRequest(transaction: Transaction, clientId: number, requestId: string | null): Promise<BlockRequest | null> {
  const row = requestId === null ? null : await findRequest(transaction, clientId, requestId);
  return row ? BlockRequest.of(row) : null;
}
