/** Which SIM-days an incident is about. */
import type { Day } from '../../detection/days';
import type { PopulationDays, TrueIncident } from './population-days';

/** SIMs of the incident that signaled on a day, judged as one pair of client and country. */
export interface IncidentRows {
  readonly clientId: number;
  readonly country: string;
  /** Of the client's rows of the day. */
  readonly rows: readonly number[];
}

/**
 * SIMs that the truth lists are judged where most of them were, by the networks that they were really in: the truth may name the country otherwise.
 * Where it lists none, those of the client that were in its country are meant; where it names no country either, all, in each country.
 */
export function incidentRows(population: PopulationDays, incident: TrueIncident, day: Day): IncidentRows[] {
  if (!incident.days.includes(day)) return [];
  const clientId = population.clients.indexOf(incident.client);
  const { simIds, countries } = population.rows.get(day)![clientId]!;
  const hit = [...simIds.keys()].filter((row) =>
    incident.simIds === null ? incident.country === null || countries[row] === incident.country : incident.simIds.has(simIds[row]!),
  );
  const inCountry = new Map<string, number[]>();
  for (const row of hit) {
    const rows = inCountry.get(countries[row]!) ?? [];
    rows.push(row);
    inCountry.set(countries[row]!, rows);
  }
  const byRows = [...inCountry].sort(([a, most], [b, other]) => other.length - most.length || (a < b ? -1 : 1));
  if (incident.simIds === null) return byRows.map(([country, rows]) => ({ clientId, country, rows }));
  return byRows.slice(0, 1).map(([country]) => ({ clientId, country, rows: hit }));
}

/** Clients with incidents, none of which has a SIM that signaled on one of its days: nothing can be found there. */
export function clientsUnseen(population: PopulationDays): string[] {
  const seen = population.incidents.filter((incident) => incident.days.some((day) => incidentRows(population, incident, day).length > 0));
  const clients = new Set(seen.map(({ client }) => client));
  return [...new Set(population.incidents.map(({ client }) => client))].filter((client) => !clients.has(client));
}
