/** Rows as the CSV files of the ingest endpoints. No value of the simulator needs quoting. */
import type { Population } from './population';
import { seenIn } from './story-signaling';

export function toCsv(rows: readonly object[], columns: readonly string[]): string {
  const lines = rows.map((row) => columns.map((column) => String((row as Record<string, string | number | null>)[column] ?? '')).join(','));
  return [columns.join(','), ...lines, ''].join('\n');
}

export const columns = {
  sims: ['iccid', 'imsi', 'msisdn', 'client', 'fleet', 'family', 'imei', 'criticality'],
  usage: ['record_id', 'iccid', 'started_at', 'ended_at', 'uplink_bytes', 'downlink_bytes', 'plmn', 'rat', 'imei', 'apn', 'destination'],
  connectionEvents: ['event_id', 'iccid', 'type', 'occurred_at', 'imei', 'plmn', 'rat', 'session_id'],
  deviceEvents: ['event_id', 'iccid', 'type', 'occurred_at', 'count', 'detail'],
} as const;

export function simsCsv(population: Population): string {
  return toCsv(
    population.sims.map((sim) => ({ ...sim, family: sim.family.name })),
    columns.sims,
  );
}

/** The ground truth of the story fleets; `seenIn` names the kinds of records in which a story shows. */
export function truthOf(population: Population): { stories: object[]; controls: readonly string[] } {
  return {
    stories: population.stories.map((story) => ({
      ...story,
      from: story.from.toISOString(),
      to: story.to.toISOString(),
      seenIn: seenIn[story.kind],
    })),
    controls: population.controls,
  };
}
