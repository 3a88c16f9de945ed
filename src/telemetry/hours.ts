/** UTC hours and days, and how a usage record is spread over the hours it covers. */

export const HOUR_MILLISECONDS = 3_600_000;

export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

export interface HourShare {
  /** Start of the hour, epoch milliseconds. */
  readonly hour: number;
  readonly uplinkBytes: bigint;
  readonly downlinkBytes: bigint;
}

/** In proportion to time, in whole bytes, the remainder to the last hour; a record without duration belongs to its hour. */
export function spreadOverHours(startedAt: number, endedAt: number, uplinkBytes: bigint, downlinkBytes: bigint): HourShare[] {
  const first = startedAt - (startedAt % HOUR_MILLISECONDS);
  const duration = endedAt - startedAt;
  if (endedAt <= first + HOUR_MILLISECONDS) return [{ hour: first, uplinkBytes, downlinkBytes }];
  const shares: HourShare[] = [];
  let uplinkLeft = uplinkBytes;
  let downlinkLeft = downlinkBytes;
  for (let hour = first; hour < endedAt; hour += HOUR_MILLISECONDS) {
    const last = hour + HOUR_MILLISECONDS >= endedAt;
    const covered = BigInt(Math.min(endedAt, hour + HOUR_MILLISECONDS) - Math.max(startedAt, hour));
    const uplink = last ? uplinkLeft : (uplinkBytes * covered) / BigInt(duration);
    const downlink = last ? downlinkLeft : (downlinkBytes * covered) / BigInt(duration);
    uplinkLeft -= uplink;
    downlinkLeft -= downlink;
    shares.push({ hour, uplinkBytes: uplink, downlinkBytes: downlink });
  }
  return shares;
}
