/** Telemetry of the simulated SIMs for any stretch of time: what a connectivity platform would deliver, in event-time order. */
import { dice, normal, withLuhnDigit } from './dice';
import type { Population, SimulatedSim, Story } from './population';

const HOUR = 3_600_000;

export interface UsageRow {
  record_id: string;
  iccid: string;
  started_at: string;
  ended_at: string;
  uplink_bytes: number;
  downlink_bytes: number;
  plmn: string;
  rat: string;
  imei: string;
  apn: string;
  destination: string;
}
export interface ConnectionRow {
  event_id: string;
  iccid: string;
  type: string;
  occurred_at: string;
  imei: string;
  plmn: string;
  rat: string;
  session_id: string;
}
export interface DeviceRow {
  event_id: string;
  iccid: string;
  type: string;
  occurred_at: string;
  count: number;
  detail: string;
}
export interface Telemetry {
  readonly usage: UsageRow[];
  readonly connectionEvents: ConnectionRow[];
  readonly deviceEvents: DeviceRow[];
}

/** The IMEI of the tablet that a thief put the stolen SIM into: another modem model. */
function thiefImei(sim: SimulatedSim): string {
  return withLuhnDigit(`35328511${String(sim.index).padStart(6, '0')}`);
}

/** What happened in [from, to), both on full UTC hours: records are delivered when their period has ended. */
export function telemetryBetween(population: Population, from: Date, to: Date): Telemetry {
  const telemetry: Telemetry = { usage: [], connectionEvents: [], deviceEvents: [] };
  for (let hour = from.getTime(); hour < to.getTime(); hour += HOUR) {
    for (const sim of population.sims) hourOf(population.seed, sim, hour, telemetry);
  }
  return telemetry;
}

function hourOf(seed: number, sim: SimulatedSim, hour: number, telemetry: Telemetry): void {
  const slot = hour / HOUR;
  const random = dice(seed, sim.index, slot, 2);
  const story = sim.story && hour >= sim.story.from.getTime() && hour < sim.story.to.getTime() ? sim.story : null;
  if (story?.kind === 'DEAD_METER') return;
  if (story?.kind === 'ROAMING_FAILURE') {
    rejectedAttachments(sim, slot, random, telemetry);
    return;
  }
  if (slot % sim.family.reportEveryHours === sim.index % sim.family.reportEveryHours)
    telemetry.usage.push(ordinaryUsage(sim, slot, random, story));
  if (slot % 24 === sim.index % 24) session(sim, slot, random, telemetry);
  if (random() < sim.family.rebootsPerDay / 24) telemetry.deviceEvents.push(deviceEvent(sim, slot, 'REBOOT', 1, random));
  if (story) misbehave(sim, story, slot, random, telemetry);
}

function ordinaryUsage(sim: SimulatedSim, slot: number, random: () => number, story: Story | null): UsageRow {
  const { family } = sim;
  const rhythm = 1 - family.dayRhythm * Math.cos((2 * Math.PI * (slot % 24)) / 24);
  const share = family.reportEveryHours / 24;
  const bytes = family.megabytesPerDay * 1e6 * sim.appetite * share * rhythm * Math.exp(0.15 * normal(random));
  // platforms often don't know the IMEI until a session has started
  const imei = story?.kind === 'STOLEN_SIM' ? thiefImei(sim) : random() < 0.3 ? '' : sim.imei;
  return usageRow(
    sim,
    `u-${sim.index}-${slot}`,
    (slot - family.reportEveryHours) * HOUR,
    slot * HOUR,
    bytes * family.uplinkShare,
    bytes * (1 - family.uplinkShare),
    {
      imei,
      destination: family.destination,
    },
  );
}

function usageRow(
  sim: SimulatedSim,
  recordId: string,
  start: number,
  end: number,
  uplink: number,
  downlink: number,
  seen: { imei: string; destination: string },
): UsageRow {
  return {
    record_id: recordId,
    iccid: sim.iccid,
    started_at: new Date(start).toISOString(),
    ended_at: new Date(end).toISOString(),
    uplink_bytes: Math.round(uplink),
    downlink_bytes: Math.round(downlink),
    plmn: sim.plmn,
    rat: sim.family.rat,
    imei: seen.imei,
    apn: sim.family.apn,
    destination: seen.destination,
  };
}

function session(sim: SimulatedSim, slot: number, random: () => number, telemetry: Telemetry): void {
  const stolen = sim.story?.kind === 'STOLEN_SIM' && slot * HOUR >= sim.story.from.getTime();
  const imei = stolen ? thiefImei(sim) : sim.imei;
  const minute = Math.floor(random() * 50);
  // now and then a first attempt fails: nothing to worry about
  if (random() < 0.03) telemetry.connectionEvents.push(connectionEvent(sim, slot, 'ATTACHMENT_FAILED', minute, ''));
  telemetry.connectionEvents.push(
    connectionEvent(sim, slot, 'ATTACHMENT_ACCEPTED', minute + 1, ''),
    connectionEvent(sim, slot, 'DATA_SESSION_STARTED', minute + 2, imei),
  );
}

function connectionEvent(sim: SimulatedSim, slot: number, type: string, minute: number, imei: string): ConnectionRow {
  return {
    event_id: `c-${sim.index}-${slot}-${type}-${minute}`,
    iccid: sim.iccid,
    type,
    occurred_at: new Date(slot * HOUR + minute * 60_000).toISOString(),
    imei,
    plmn: sim.plmn,
    rat: sim.family.rat,
    session_id: type.startsWith('DATA_SESSION') ? `s-${sim.index}-${slot}` : '',
  };
}

function deviceEvent(sim: SimulatedSim, slot: number, type: string, count: number, random: () => number): DeviceRow {
  return {
    event_id: `d-${sim.index}-${slot}-${type}-${count}`,
    iccid: sim.iccid,
    type,
    occurred_at: new Date(slot * HOUR + Math.floor(random() * 3_500_000)).toISOString(),
    count,
    detail: '',
  };
}

function rejectedAttachments(sim: SimulatedSim, slot: number, random: () => number, telemetry: Telemetry): void {
  for (let attempt = 0; attempt < 4; attempt++) {
    telemetry.connectionEvents.push(connectionEvent(sim, slot, 'ATTACHMENT_REJECTED', attempt * 15 + Math.floor(random() * 14), ''));
  }
}

function misbehave(sim: SimulatedSim, story: Story, slot: number, random: () => number, telemetry: Telemetry): void {
  const end = slot * HOUR;
  switch (story.kind) {
    case 'STOLEN_SIM':
      if (end === story.from.getTime()) {
        telemetry.connectionEvents.push(
          connectionEvent(sim, slot, 'DETACHED', 0, sim.imei),
          connectionEvent(sim, slot, 'ATTACHMENT_ACCEPTED', 9, ''),
          connectionEvent(sim, slot, 'DATA_SESSION_STARTED', 10, thiefImei(sim)),
        );
        return;
      }
      // streaming video: about 1 GB an hour, down
      telemetry.usage.push(
        usageRow(sim, `video-${sim.index}-${slot}`, end - HOUR, end, 2e7, 9e8 * Math.exp(0.2 * normal(random)), {
          imei: thiefImei(sim),
          destination: 'cdn.video.example',
        }),
      );
      return;
    case 'FIRMWARE_LOOP':
      telemetry.deviceEvents.push(
        deviceEvent(sim, slot, 'REBOOT', 5 + Math.floor(random() * 3), random),
        deviceEvent(sim, slot, 'TLS_ERROR', 18 + Math.floor(random() * 10), random),
      );
      telemetry.usage.push(
        usageRow(sim, `loop-${sim.index}-${slot}`, end - HOUR, end, 3e6, 4e6 * Math.exp(0.1 * normal(random)), {
          imei: sim.imei,
          destination: sim.family.destination,
        }),
      );
      return;
    case 'MALWARE':
      telemetry.usage.push(
        usageRow(sim, `bot-${sim.index}-${slot}`, end - HOUR, end, 1.5e7 * Math.exp(0.3 * normal(random)), 2e6, {
          imei: sim.imei,
          destination: random() < 0.5 ? 'as64500' : '203.0.113.77',
        }),
      );
      return;
    default:
  }
}
