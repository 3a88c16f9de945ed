/**
 * One usage record followed from POST to a subscriber's frame, the process killed with SIGKILL at each commit on its way. Each round sends the record
 * of another SIM to the process that recovered from the kill before, until a round is outlived: then every commit has had its kill.
 */
import { ApiClient } from '../../src/commands/demo/api-client';
import { ServerProcess } from '../support/server';
import type { KillPoint } from '../support/server-process';
import { Subscriber } from '../support/subscriber';
import { makePlace, type Place } from './place';
import { expectedState, iccidOf, makeCustomer, OPERATOR_KEY, readSim, sendUsage, type Customer } from './usage-story';

/** More than there are commits on the way. */
const MOST_ROUNDS = 20;
/** Leases of a killed process run out meanwhile: its successor's clock starts that much later. */
const RESTART_MILLISECONDS = 120_000;
const wholeAnswer = { status: 200, accepted: 1, duplicates: 0, rejected: 0 };

/** A server that is killed and started again on the same data, a sender, and a portal that holds on to its cursor. */
export class KillStory {
  private server: ServerProcess;
  private operator: ApiClient;
  private customer: Customer;
  private alerts: Subscriber;
  private incidents: Subscriber;
  private startsAt = Date.parse('2026-11-14T12:00:00Z');

  private constructor(private readonly place: Place) {}

  static async begin(): Promise<KillStory> {
    const story = new KillStory(await makePlace());
    await story.startServer();
    story.customer = await makeCustomer(story.operator, 'Acme', 0, MOST_ROUNDS);
    story.alerts = new Subscriber('alertChanged', story.customer.key);
    story.incidents = new Subscriber('incidentChanged', story.customer.key);
    story.connect();
    await story.server.settle();
    return story;
  }

  async end(): Promise<void> {
    this.disconnect();
    await this.server.kill();
    await this.place.remove();
  }

  /** Rounds with a kill at each commit, one that is outlived, and one with a kill when the frame has come. Answers the commits on the way. */
  async run(when: KillPoint['when']): Promise<string[]> {
    let round = 0;
    let outlived: string[] | null = null;
    for (; outlived === null; round++) {
      expect(round).toBeLessThan(MOST_ROUNDS);
      // The first record of a day has one commit more than the others, and it comes first: the day's partition.
      outlived = await this.killAtCommit(round, { when, commit: Math.max(1, round) });
      await this.expectWhole(round);
    }
    await this.killAtFrame(round);
    await this.expectWhole(round);
    for (const { changes, errors } of [this.alerts, this.incidents]) {
      expect(new Set(changes.map(({ cursor }) => cursor)).size).toBe(changes.length);
      expect(changes.filter(({ gap }) => gap)).toEqual([]);
      expect(errors).toEqual([]);
    }
    return outlived;
  }

  /** Sends a SIM's record and lets the process die where it shall. Answers the commits on the way if it outlived them all. */
  private async killAtCommit(number: number, killAt: KillPoint): Promise<string[] | null> {
    await this.server.watch(killAt);
    const answered = sendUsage(this.server.url, `batch ${number}`, number);
    const arrived = this.opening(this.alerts, number).then(() => this.server.settle());
    const killed = await Promise.race([
      this.server.exited,
      arrived.then(
        () => null,
        () => this.server.exited,
      ),
    ]);
    const answer = await answered;
    const commits = [...this.server.commits];
    if (killed) {
      expect(killed.signal).toBe('SIGKILL');
      await this.restart();
    } else await this.server.watch(null);
    // A sender whose batch was acknowledged has no reason to send it again; one that got no answer has.
    expect(answer ?? (await sendUsage(this.server.url, `batch ${number}`, number))).toMatchObject(wholeAnswer);
    return killed ? null : commits;
  }

  private async killAtFrame(number: number): Promise<void> {
    const answered = sendUsage(this.server.url, `batch ${number}`, number);
    await this.opening(this.alerts, number);
    await this.server.kill();
    expect(await answered).toMatchObject(wholeAnswer);
    await this.restart();
  }

  /** What is stored, and what the portal saw, is what would be without any kill; and sending once more changes nothing. */
  private async expectWhole(number: number): Promise<void> {
    await this.opening(this.alerts, number);
    await this.opening(this.incidents, number);
    await this.server.settle();
    const state = await readSim(this.operator, number);
    expect(state).toMatchObject(expectedState(number, number + 1));
    const alertId = state.alerts[0]!.id;
    const incidentId = state.incidents[0]!.id;
    expect(state.incidents[0]!.alerts).toEqual([alertId]);
    expect(await sendUsage(this.server.url, `batch ${number}`, number)).toMatchObject(wholeAnswer);
    await this.server.settle();
    expect(await readSim(this.operator, number)).toEqual(state);
    // Whatever was still to come of the alert and the incident comes before what is caused now.
    const { addIncidentNote } = await this.operator.graphql<{ addIncidentNote: { incident: { sequence: number } } }>(
      `mutation Take($alerts: AcknowledgeAlertsInput!, $note: AddIncidentNoteInput!) {
        acknowledgeAlerts(input: $alerts) { userErrors { message } }
        addIncidentNote(input: $note) { incident { sequence } userErrors { message } }
      }`,
      { alerts: { ids: [alertId] }, note: { incident: incidentId, text: 'taken' } },
    );
    await this.alerts.change(({ subjectId, toState }) => subjectId === alertId && toState === 'ACKNOWLEDGED');
    await this.incidents.change(({ subjectId, sequence }) => subjectId === incidentId && sequence === addIncidentNote.incident.sequence);
    expect(transitions(this.alerts, alertId)).toEqual(['null → OPEN', 'OPEN → ACKNOWLEDGED']);
    expect(transitions(this.incidents, incidentId).filter((transition) => transition === 'null → OPEN')).toHaveLength(1);
  }

  private opening(subscriber: Subscriber, number: number): Promise<unknown> {
    return subscriber.change(({ iccid, fromState }) => iccid === iccidOf(number) && fromState === null);
  }

  private async startServer(): Promise<void> {
    const { databaseUrl, dataDirectory } = this.place;
    const startsAt = new Date(this.startsAt).toISOString();
    this.server = await ServerProcess.start({ databaseUrl, dataDirectory, operatorKey: OPERATOR_KEY, startsAt });
    this.startsAt += RESTART_MILLISECONDS;
    this.operator = new ApiClient(this.server.url, OPERATOR_KEY);
  }

  private async restart(): Promise<void> {
    this.disconnect();
    await this.startServer();
    this.connect();
  }

  private connect(): void {
    for (const subscriber of [this.alerts, this.incidents]) subscriber.connect(this.server.url);
  }

  private disconnect(): void {
    for (const subscriber of [this.alerts, this.incidents]) subscriber.disconnect();
  }
}

function transitions(subscriber: Subscriber, subjectId: string): string[] {
  return subscriber.changes.filter((change) => change.subjectId === subjectId).map(({ fromState, toState }) => `${fromState} → ${toState}`);
}
