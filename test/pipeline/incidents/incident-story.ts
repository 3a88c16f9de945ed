/** The alerts' story, followed by its incidents. */
import { AlertWriter, type AlertChange } from '../../../src/alerts';
import type { Database } from '../../../src/database/database';
import { Correlator } from '../../../src/incidents/correlate';
import type { IncidentChange } from '../../../src/incidents/incident-change';
import { SystemEntropy } from '../../../src/runtime';
import { AlertStory, day, type Said } from '../alerts/alert-story';

export interface StoredIncident {
  incident_id: string;
  correlation_key: string;
  state: string;
  severity: string;
  title: string;
  live_alerts: number;
  proposed_root_cause: string;
  proposed_evidence: { text: string; kind: string | null }[];
  sequence: number;
}

export class IncidentStory {
  private readonly correlator = new Correlator(new SystemEntropy(), new AlertWriter(new SystemEntropy()));

  constructor(readonly alerts: AlertStory) {}

  static async ofNewClient(database: Database, name: string): Promise<IncidentStory> {
    return new IncidentStory(await AlertStory.ofNewClient(database, name));
  }

  /** Raises and correlates in one transaction, as the pipeline does. */
  async say(said: Said): Promise<{ alerts: AlertChange[]; incidents: IncidentChange[] }> {
    return this.alerts.within(said, async (tx, alerts, now) => ({ alerts, incidents: await this.correlator.correlate(tx, alerts, now) }));
  }

  async incidents(): Promise<StoredIncident[]> {
    return this.alerts.query('SELECT * FROM incident WHERE client_id = $1 ORDER BY created_at, incident_id');
  }

  async log(): Promise<string[]> {
    const rows = await this.alerts.query<{ line: string }>(
      "SELECT action || ': ' || text AS line FROM incident_log WHERE client_id = $1 ORDER BY entry_id",
    );
    return rows.map(({ line }) => line);
  }

  async assign(assignee: string): Promise<void> {
    await this.alerts.query('UPDATE incident SET assignee = $2 WHERE client_id = $1', [assignee]);
  }

  async close(incidentId: string): Promise<void> {
    await this.alerts.query("UPDATE incident SET state = 'CLOSED' WHERE client_id = $1 AND incident_id = $2", [incidentId]);
  }
}

export { day };
