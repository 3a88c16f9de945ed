import { makePopulation, simsCsv, telemetryBetween, truthOf } from './index';

const HOUR = 3_600_000;
const end = new Date('2026-11-15T00:00:00Z');
const population = makePopulation({ sims: 120, days: 12, seed: 1, end });
const hours = (count: number) => new Date(end.getTime() - count * HOUR);

describe('the simulator', () => {
  it('gives the same records for the same seed, however time is sliced', () => {
    const whole = telemetryBetween(population, hours(48), end);
    const sliced = [48, 47, 30, 7, 1].map((start, i, starts) =>
      telemetryBetween(population, hours(start), i + 1 < starts.length ? hours(starts[i + 1]!) : end),
    );
    expect(sliced.flatMap((part) => part.usage)).toEqual(whole.usage);
    expect(sliced.flatMap((part) => part.connectionEvents)).toEqual(whole.connectionEvents);
    expect(sliced.flatMap((part) => part.deviceEvents)).toEqual(whole.deviceEvents);
  });

  it('gives other records for another seed', () => {
    const other = makePopulation({ sims: 120, days: 12, seed: 2, end });
    expect(simsCsv(other)).not.toEqual(simsCsv(population));
  });

  it('never repeats a record id', () => {
    const { usage, connectionEvents, deviceEvents } = telemetryBetween(population, hours(72), end);
    expect(new Set(usage.map((row) => row.record_id)).size).toBe(usage.length);
    expect(new Set(connectionEvents.map((row) => row.event_id)).size).toBe(connectionEvents.length);
    expect(new Set(deviceEvents.map((row) => row.event_id)).size).toBe(deviceEvents.length);
  });

  it('delivers nothing of a dead meter, and nothing but rejections of a device that may not roam', () => {
    const { usage, connectionEvents } = telemetryBetween(population, hours(24), end);
    const iccidsOf = (kind: string) => population.stories.find((story) => story.kind === kind)!.iccids;
    const dead = iccidsOf('DEAD_METER');
    expect(usage.filter((row) => dead.includes(row.iccid))).toEqual([]);
    const roaming = iccidsOf('ROAMING_FAILURE');
    expect(new Set(connectionEvents.filter((row) => roaming.includes(row.iccid)).map((row) => row.type))).toEqual(
      new Set(['ATTACHMENT_REJECTED']),
    );
  });

  it('names a control client that has no story', () => {
    const truth = truthOf(population) as { stories: { client: string }[]; controls: string[] };
    expect(truth.controls).toEqual(['Quiet Elevators']);
    expect(truth.stories.map((story) => story.client)).not.toContain('Quiet Elevators');
  });
});
