import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietEvent, syntheticEvents, testDetector, tryDetector, type EventRow } from 'simwarden/detector/testing';
import deviceEventStorm from '.';

const events = (eventType: string, eventCount: number, subject = 0): EventRow => ({
  ...quietEvent,
  subject,
  eventClass: 'DEVICE',
  eventType,
  eventCount,
  network: null,
});

testDetector(deviceEventStorm, {
  describe,
  it,
  readme: readFileSync(join(__dirname, 'README.md'), 'utf8'),
  quiet: [{ name: 'devices that reboot now and then', rows: syntheticEvents({ sims: 1000, seed: 71 }) }],
  anomalous: [
    { name: 'firmware loop', kind: 'DEVICE_EVENT_STORM', planted: [0], rows: [events('REBOOT', 6), events('REBOOT', 6)] },
    { name: 'expired certificate', kind: 'DEVICE_EVENT_STORM', planted: [0], rows: [events('TLS_ERROR', 480)] },
    { name: 'endless retries', kind: 'DEVICE_EVENT_STORM', planted: [1], rows: [events('REBOOT', 1), events('RETRY_LOOP', 25, 1)] },
  ],
});

describe('device event storms', () => {
  it('adds up a type over the day and says how far over its limit it is', async () => {
    const { alarms } = await tryDetector(deviceEventStorm, [events('REBOOT', 6), events('TLS_ERROR', 49), events('REBOOT', 9)]);
    expect(alarms).toEqual([
      { row: 2, kind: 'DEVICE_EVENT_STORM', severity: 'WARNING', score: 1.5, texts: ['15 REBOOT events today, 1.5 × the limit of 10'] },
    ]);
  });

  it('does not add up different SIMs or different types', async () => {
    expect((await tryDetector(deviceEventStorm, [events('REBOOT', 9), events('TLS_ERROR', 9), events('REBOOT', 9, 1)])).alarms).toEqual([]);
  });

  it('is critical at ten times the limit', async () => {
    expect((await tryDetector(deviceEventStorm, [events('REBOOT', 100)])).alarms.map(({ severity }) => severity)).toEqual(['CRITICAL']);
  });

  it('takes limits for further types from the options', async () => {
    const heartbeats = [events('HEARTBEAT', 1440)];
    expect((await tryDetector(deviceEventStorm, heartbeats)).alarms).toHaveLength(1);
    expect((await tryDetector(deviceEventStorm, heartbeats, { options: { typeLimits: ['HEARTBEAT=2000'] } })).alarms).toEqual([]);
  });

  it('refuses a limit that is no number, in words', async () => {
    await expect(tryDetector(deviceEventStorm, [], { options: { typeLimits: ['REBOOT=often'] } })).rejects.toThrow(
      /typeLimits: entry 1: expected text that matches/,
    );
  });
});
