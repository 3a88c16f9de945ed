/** Executes a live plan for one event and serialises the answer: once, for all who share it. */
import { execute, type GraphQLSchema } from 'graphql';
import { FairTurns } from './fair-turns';
import type { LivePlan } from './live-plan';
import type { LiveRoot } from './live';
import { OperationContext, type OperationServices } from './operation-context';
import { presentError } from './refusal';

/** Executions at once: live delivery must leave database sessions to queries, and one client's to the others'. */
const EXECUTIONS_AT_ONCE = 5;
const EXECUTIONS_OF_A_CLIENT = 4;
const EXECUTION_DEADLINE_MILLISECONDS = 10_000;

export class LiveExecution {
  private readonly turns = new FairTurns(EXECUTIONS_AT_ONCE, EXECUTIONS_OF_A_CLIENT);

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly services: OperationServices,
    private readonly deadlineMilliseconds = EXECUTION_DEADLINE_MILLISECONDS,
  ) {}

  /** The execution result as JSON, its cursor in `extensions`; errors are in it, and none is thrown. */
  payload(plan: LivePlan, root: LiveRoot): Promise<string> {
    return this.turns.run(plan.caller.clientId, () => this.executed(plan, root));
  }

  private async executed(plan: LivePlan, root: LiveRoot): Promise<string> {
    const context = new OperationContext(this.services, plan.caller, 'graphql.event');
    let deadline: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_resolve, reject) => {
        deadline = setTimeout(
          () => reject(new Error(`the live field ${plan.field.name} took longer than ${this.deadlineMilliseconds} ms`)),
          this.deadlineMilliseconds,
        );
      });
      const result = await Promise.race([this.execute(plan, root, context), late]);
      const errors = result.errors?.map((error) => presentError(error, context.requestId, this.services.log));
      return JSON.stringify({ ...(errors ? { errors } : {}), data: result.data ?? null, extensions: { cursor: root.cursor } });
    } catch (error) {
      const errors = [presentError(error, context.requestId, this.services.log)];
      return JSON.stringify({ errors, data: null, extensions: { cursor: root.cursor } });
    } finally {
      clearTimeout(deadline);
      // Not awaited: an execution past its deadline may be stuck in a statement, and must not keep others waiting.
      void context.end();
    }
  }

  private async execute(plan: LivePlan, root: LiveRoot, contextValue: OperationContext) {
    return execute({
      schema: this.schema,
      document: plan.document,
      rootValue: root,
      contextValue,
      variableValues: plan.variables,
      operationName: plan.operationName,
    });
  }
}
