/** What the demo has seen of each story, and what it would call a false alarm. */
import Table from 'cli-table3';
import type { Population, Story, StoryKind } from '../../../seeds';

export interface SeenAlert {
  readonly id: string;
  readonly client: string;
  /** null for an alert about a network, a fleet or the client as a whole. */
  readonly iccid: string | null;
  readonly detector: string;
  readonly kind: string;
  readonly severity: string;
  /** The injected clock when the alert was raised. */
  readonly raisedAt: Date;
}

/** A story counts as found when each of these detectors fired on one of its SIMs (or on its network). */
const expectedDetectors: Readonly<Record<StoryKind, readonly string[]>> = {
  STOLEN_SIM: ['imei-mismatch', 'threshold'],
  FIRMWARE_LOOP: ['device-event-storm'],
  MALWARE: ['unusual-destination'],
  DEAD_METER: ['zero-usage'],
  ROAMING_FAILURE: ['connection-failures'],
};

const HOUR = 3_600_000;

export interface StoryResult {
  readonly story: Story;
  readonly detectors: readonly string[];
  /** Hours from the story's start to the first expected detector's alert; null if none came. */
  readonly hoursUntilFound: number | null;
  readonly found: boolean;
}

export class Scoreboard {
  private readonly alerts = new Map<string, SeenAlert>();

  constructor(private readonly population: Population) {}

  /** Answers false for an alert that was seen before. */
  add(alert: SeenAlert): boolean {
    if (this.alerts.has(alert.id)) return false;
    this.alerts.set(alert.id, alert);
    return true;
  }

  storyOf(alert: SeenAlert): Story | null {
    const belongs = (story: Story) =>
      story.client === alert.client && alert.raisedAt >= story.from && (alert.iccid === null || story.iccids.includes(alert.iccid));
    return this.population.stories.find(belongs) ?? null;
  }

  results(): StoryResult[] {
    return this.population.stories.map((story) => {
      const alerts = [...this.alerts.values()].filter((alert) => this.storyOf(alert)?.id === story.id);
      const expected = expectedDetectors[story.kind];
      const first = Math.min(...alerts.filter((alert) => expected.includes(alert.detector)).map((alert) => alert.raisedAt.getTime()));
      return {
        story,
        detectors: [...new Set(alerts.map((alert) => alert.detector))].sort(),
        hoursUntilFound: Number.isFinite(first) ? (first - story.from.getTime()) / HOUR : null,
        found: expected.every((detector) => alerts.some((alert) => alert.detector === detector)),
      };
    });
  }

  /** Alerts that belong to no story: alarms, or (INFO) mere remarks, which open no incident. */
  unfounded(client: string, remarks: boolean): number {
    return [...this.alerts.values()].filter(
      (alert) => alert.client === client && this.storyOf(alert) === null && (alert.severity === 'INFO') === remarks,
    ).length;
  }

  table(): string {
    const table = new Table({
      head: ['story', 'customer', 'detectors that fired', 'hours until found', 'false alarms', 'remarks (INFO)'],
      style: { head: [], border: [] },
    });
    for (const result of this.results()) {
      table.push([
        `${result.found ? '✔' : '✘'} ${result.story.id} (${result.story.iccids.length} SIMs)`,
        result.story.client,
        result.detectors.join('\n') || '–',
        result.hoursUntilFound === null ? 'not found' : result.hoursUntilFound.toFixed(1),
        this.unfounded(result.story.client, false),
        this.unfounded(result.story.client, true),
      ]);
    }
    for (const control of this.population.controls)
      table.push(['(behaves)', control, '–', '–', this.unfounded(control, false), this.unfounded(control, true)]);
    return table.toString();
  }
}
