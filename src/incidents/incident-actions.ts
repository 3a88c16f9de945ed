/** The mutations on incidents over GraphQL. */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { singleton } from 'tsyringe';
import { maySee, writeScope } from '../access';
import { SimwardenError } from '../errors';
import { findClient, findSim } from '../fleet';
import type { GraphqlContext } from '../graphql/context';
import { requireGlobalId, type GlobalId } from '../graphql/global-id';
import { withUserErrors } from '../graphql/user-error';
import { Incident } from './incident';
import { LogAction } from './incident-change';
import { IncidentEditor } from './incident-editor';
import {
  AddIncidentNoteInput,
  AddIncidentNotePayload,
  CloseIncidentInput,
  CloseIncidentPayload,
  MergeIncidentsInput,
  MergeIncidentsPayload,
  OpenIncidentInput,
  OpenIncidentPayload,
  SetRootCauseInput,
  SetRootCausePayload,
  UpdateIncidentInput,
  UpdateIncidentPayload,
} from './incident-inputs';
import type { IncidentRecord } from './incident-record';

/** Most alerts or incidents that one call may name. */
const NAMED_PER_CALL = 100;

interface Answer {
  incident: Incident | null;
  userErrors: OpenIncidentPayload['userErrors'];
}

@singleton()
@Resolver()
export class IncidentActions {
  constructor(private readonly editor: IncidentEditor) {}

  @Mutation(() => OpenIncidentPayload, { description: 'Opens an incident by hand. Alerts open theirs by themselves.' })
  async openIncident(
    @Arg('input', () => OpenIncidentInput, { description: 'The incident.' }) input: OpenIncidentInput,
    @Ctx() context: GraphqlContext,
  ): Promise<OpenIncidentPayload> {
    return answer(async () => {
      requireCount(input.alerts ?? [], 'alerts');
      const alerts = (input.alerts ?? []).map((id) => named(context, id, 'Alert', 'uuid', 'alerts'));
      const sim = input.sim ? named(context, input.sim, 'Sim', 'int8', 'sim') : null;
      const clientId = input.client
        ? writeScope(context.caller, input.client)
        : ((sim ?? alerts[0])?.clientId ?? writeScope(context.caller, null));
      if ([sim, ...alerts].some((id) => id && id.clientId !== clientId)) {
        throw new SimwardenError('BAD_USER_INPUT', { what: 'The SIM and the alerts are of several clients.' }, ['alerts']);
      }
      const fleetId = await context.read(async (tx) => {
        if (!(await findClient(tx, clientId))) throw new SimwardenError('NOT_FOUND', { what: 'client' }, ['client']);
        const found = sim ? await findSim(tx, clientId, sim.key) : null;
        if (sim && !found) throw new SimwardenError('NOT_FOUND', { what: 'sim' }, ['sim']);
        return found?.fleetId ?? null;
      });
      const { severity } = input;
      return this.editor.open(context, {
        clientId,
        simId: sim?.key ?? null,
        fleetId,
        title: requireText(input.title, 'title'),
        severity,
        alertIds: alerts.map(({ key }) => key),
      });
    });
  }

  @Mutation(() => UpdateIncidentPayload, { description: 'Changes the title or assignee of an open incident.' })
  async updateIncident(
    @Arg('input', () => UpdateIncidentInput, { description: 'What to change.' }) input: UpdateIncidentInput,
    @Ctx() context: GraphqlContext,
  ): Promise<UpdateIncidentPayload> {
    const { incident: id, title, assignee } = input;
    return answer(() =>
      this.editor.change(context, 'updateIncident', id, 'edit', { title, assignee }, (_, { record, log }) => {
        const actor = context.caller.name;
        const newTitle = title === undefined || title === null ? record.title : requireText(title, 'title');
        const newAssignee = assignee === undefined ? record.assignee : assignee?.trim() || null;
        if (newTitle !== record.title) log.push({ action: LogAction.EDITED, text: `Title: "${newTitle}".`, actor });
        if (newAssignee !== record.assignee)
          log.push({ action: LogAction.EDITED, text: newAssignee ? `Assigned to ${newAssignee}.` : 'Assigned to nobody.', actor });
        if (newTitle !== record.title) record.titleBy = actor;
        Object.assign(record, { title: newTitle, assignee: newAssignee });
      }),
    );
  }

  @Mutation(() => AddIncidentNotePayload, { description: "Adds a note to an incident's log." })
  async addIncidentNote(
    @Arg('input', () => AddIncidentNoteInput, { description: 'The note.' }) input: AddIncidentNoteInput,
    @Ctx() context: GraphqlContext,
  ): Promise<AddIncidentNotePayload> {
    return answer(() => {
      const text = requireText(input.text, 'text');
      return this.editor.change(context, 'addIncidentNote', input.incident, 'note', { text }, (_, { log }) => {
        log.push({ action: LogAction.NOTE, text, actor: context.caller.name });
      });
    });
  }

  @Mutation(() => SetRootCausePayload, { description: "Gives, or corrects, the verdict on an incident's cause." })
  async setRootCause(
    @Arg('input', () => SetRootCauseInput, { description: 'The verdict.' }) input: SetRootCauseInput,
    @Ctx() context: GraphqlContext,
  ): Promise<SetRootCausePayload> {
    const { incident: id, rootCause, note } = input;
    return answer(() =>
      this.editor.change(context, 'setRootCause', id, 'setRootCause', { rootCause, note }, (_, { record, log }) => {
        const actor = context.caller.name;
        log.push({ action: LogAction.ROOT_CAUSE_SET, text: note ? `${rootCause}: ${note}` : rootCause, actor });
        Object.assign(record, { rootCause, rootCauseBy: actor });
      }),
    );
  }

  @Mutation(() => MergeIncidentsPayload, { description: 'Makes several incidents one: their alerts move, and those merged are closed.' })
  async mergeIncidents(
    @Arg('input', () => MergeIncidentsInput, { description: 'Which into which.' }) input: MergeIncidentsInput,
    @Ctx() context: GraphqlContext,
  ): Promise<MergeIncidentsPayload> {
    return answer(() => {
      requireCount(input.from, 'from');
      if (input.from.length === 0) throw new SimwardenError('BAD_USER_INPUT', { what: 'Name at least one incident to merge.' }, ['from']);
      return this.editor.merge(context, input.into, input.from);
    });
  }

  @Mutation(() => CloseIncidentPayload, { description: 'Closes an incident with its root cause; its live alerts are resolved with it.' })
  async closeIncident(
    @Arg('input', () => CloseIncidentInput, { description: 'Which, and why.' }) input: CloseIncidentInput,
    @Ctx() context: GraphqlContext,
  ): Promise<CloseIncidentPayload> {
    return answer(() => this.editor.close(context, input.incident, input.rootCause, input.note ?? null));
  }
}

function answer(work: () => Promise<IncidentRecord>): Promise<Answer> {
  return withUserErrors<Answer>(
    async () => ({ incident: Incident.of(await work()), userErrors: [] }),
    (userErrors) => ({ incident: null, userErrors }),
  );
}

function named({ caller }: GraphqlContext, id: string, type: string, keyIs: 'uuid' | 'int8', field: string): GlobalId {
  const parsed = requireGlobalId(id, type, keyIs);
  if (!maySee(caller, parsed)) throw new SimwardenError('NOT_FOUND', { what: type.toLowerCase() }, [field]);
  return parsed;
}

function requireCount(ids: readonly string[], field: string): void {
  if (ids.length > NAMED_PER_CALL) throw new SimwardenError('TOO_MANY_ITEMS', { given: ids.length, most: NAMED_PER_CALL }, [field]);
}

function requireText(text: string, field: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new SimwardenError('BAD_USER_INPUT', { what: `${field} must not be empty.` }, [field]);
  return trimmed;
}
