/**
 * Which windows make one alert, by event time alone, so that the order in which they become known doesn't matter.
 *
 * Windows at most JOIN_WITHIN apart belong together: an alert clears 24 h after its last window and a hit within 24 h of that reopens it.
 * So a window may join an alert, open one, or show that two alerts are one; taking a window back may show that one alert was two.
 * What an operator decided bends this: a dismissal absorbs hits until its date, and what he resolved is not continued later than 24 h after.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Severity } from '../detector';
import type { Finding } from '../detection/verdicts';
import type { AlertRecord, AlertWindow } from './alert-record';
import { AlertResolution, AlertState, isLive } from './lifecycle';
import { isWorse } from './severity';

const HOUR_MS = 3_600_000;
export const CLEAR_AFTER_MS = 24 * HOUR_MS;
export const REOPEN_WITHIN_MS = 24 * HOUR_MS;
export const JOIN_WITHIN_MS = CLEAR_AFTER_MS + REOPEN_WITHIN_MS;
/** A window that ended longer ago than this when it arrived is late: its alert neither notifies nor blocks. */
export const LATE_AFTER_MS = 48 * HOUR_MS;

/** An alert while its windows are worked out. */
export interface Episode {
  /** As stored; null for one that is new. */
  readonly before: Readonly<AlertRecord> | null;
  readonly record: AlertRecord;
  /** The windows that are known here, by start: those of the verdicts, or all where one is taken back. */
  readonly windows: Map<number, AlertWindow>;
  /** Starts of windows to write. */
  readonly written: Set<number>;
  /** Starts of windows taken back. */
  readonly retracted: Set<number>;
  /** Worst severity among the windows that are new or got worse. */
  raisedTo: Severity | null;
  /** A window of it fired now, whether or not that was known. */
  struck: boolean;
  mergedInto: Episode | null;
  /** For a part that a retraction cut off: where its windows are stored. */
  cutFrom: Episode | null;
}

export function storedEpisode(record: AlertRecord, windows: Iterable<AlertWindow>): Episode {
  return emptyEpisode({ ...record }, record, new Map([...windows].map((window) => [window.windowStart.getTime(), window])));
}

function emptyEpisode(before: AlertRecord | null, record: AlertRecord, windows: Map<number, AlertWindow>): Episode {
  return {
    before,
    record,
    windows,
    written: new Set(),
    retracted: new Set(),
    raisedTo: null,
    struck: false,
    mergedInto: null,
    cutFrom: null,
  };
}

/** The alerts of one fingerprint around the windows that were judged. */
export class Episodes {
  constructor(
    readonly all: Episode[],
    private readonly now: Date,
    private readonly newId: () => string,
  ) {}

  /** Those that stand for something: merged ones and those without a window don't. In order of event time. */
  standing(): Episode[] {
    return this.all
      .filter((episode) => episode.mergedInto === null && episode.record.occurrenceCount > 0)
      .sort((a, b) => a.record.firstWindowStart.getTime() - b.record.firstWindowStart.getTime());
  }

  hit(clientId: number, fingerprint: string, finding: Finding): void {
    const window = windowOf(finding);
    const start = window.windowStart.getTime();
    const known = this.standing().find((episode) => episode.windows.has(start));
    if (known) return put(known, window, finding.fleetId);
    const reached = this.standing().filter((episode) => reaches(episode.record, window));
    const episode = reached.length > 0 ? this.mergeAll(reached) : (this.emptied(window) ?? this.open(clientId, fingerprint, finding));
    put(episode, window, finding.fleetId);
    if (window.windowEnd.getTime() + LATE_AFTER_MS >= this.now.getTime()) episode.record.late = false;
  }

  /** Takes windows back; all windows of the episodes must be known. */
  retract(starts: readonly number[]): void {
    for (const start of starts) {
      const episode = this.standing().find((candidate) => candidate.windows.has(start));
      if (!episode) continue;
      episode.windows.delete(start);
      episode.written.delete(start);
      episode.retracted.add(start);
      episode.record.occurrenceCount -= 1;
    }
    for (const episode of this.standing().filter((candidate) => candidate.retracted.size > 0)) this.cut(episode);
  }

  /** An alert whose windows were all taken back speaks again if it fires at its old place: with its notes. */
  private emptied(window: AlertWindow): Episode | undefined {
    const episode = this.all.find(
      ({ mergedInto, record }) =>
        mergedInto === null && record.occurrenceCount === 0 && record.resolution !== AlertResolution.MERGED && reaches(record, window),
    );
    if (episode)
      Object.assign(episode.record, {
        firstWindowStart: window.windowStart,
        lastWindowStart: window.windowStart,
        lastWindowEnd: window.windowEnd,
      });
    return episode;
  }

  private open(clientId: number, fingerprint: string, finding: Finding): Episode {
    const { windowStart, windowEnd, detectorId, kind, subject, subjectId, simId, fleetId } = finding;
    const { severity, title, score, evidence } = windowOf(finding);
    const episode = emptyEpisode(
      null,
      {
        clientId,
        alertId: this.newId(),
        fingerprint,
        detectorId,
        kind,
        subject,
        subjectId,
        simId,
        fleetId,
        severity,
        title,
        score,
        evidence,
        state: AlertState.OPEN,
        firstWindowStart: windowStart,
        lastWindowStart: windowStart,
        lastWindowEnd: windowEnd,
        occurrenceCount: 0,
        late: true,
        incidentId: null,
        acknowledgedAt: null,
        acknowledgedBy: null,
        note: null,
        resolvedAt: null,
        resolvedBy: null,
        resolution: null,
        resolutionReason: null,
        dismissedAt: null,
        dismissedBy: null,
        dismissedUntil: null,
        dismissedReason: null,
        handledSeverity: null,
        handledThrough: null,
        sequence: 0,
        createdAt: this.now,
        updatedAt: this.now,
      },
      new Map(),
    );
    this.all.push(episode);
    return episode;
  }

  /** A window between alerts shows that they are one: the live one stays (it has the operator's attention), else a dismissed one, else the latest. */
  private mergeAll(reached: readonly Episode[]): Episode {
    const kept = [...reached].sort((a, b) => standingOf(b) - standingOf(a)).at(0)!;
    for (const other of reached) {
      if (other !== kept) this.merge(other, kept);
    }
    return kept;
  }

  private merge(from: Episode, into: Episode): void {
    const [gone, kept] = [from.record, into.record];
    from.mergedInto = into;
    for (const [start, window] of from.windows) into.windows.set(start, window);
    for (const start of from.written) into.written.add(start);
    into.struck ||= from.struck;
    if (isWorse(from.raisedTo, into.raisedTo)) into.raisedTo = from.raisedTo;
    if (gone.lastWindowStart > kept.lastWindowStart) {
      const { severity, title, score, evidence, fleetId, lastWindowStart } = gone;
      Object.assign(kept, { severity, title, score, evidence, fleetId, lastWindowStart });
    }
    kept.firstWindowStart = earliest(gone.firstWindowStart, kept.firstWindowStart);
    kept.lastWindowEnd = latest(gone.lastWindowEnd, kept.lastWindowEnd);
    kept.occurrenceCount += gone.occurrenceCount;
    kept.late = kept.late && gone.late;
    gone.occurrenceCount = 0;
  }

  /** Without the windows taken back, an alert may be several: the latest part keeps its name and what operators said of it. */
  private cut(episode: Episode): void {
    const parts: AlertWindow[][] = [];
    const windows = [...episode.windows.values()].sort((a, b) => a.windowStart.getTime() - b.windowStart.getTime());
    for (const window of windows) {
      const part = parts.at(-1);
      const apart = part ? window.windowStart.getTime() - Math.max(...part.map((one) => one.windowEnd.getTime())) : Infinity;
      // What a dismissal absorbed may lie apart.
      if (part && (apart <= JOIN_WITHIN_MS || episode.record.state === AlertState.DISMISSED)) part.push(window);
      else parts.push([window]);
    }
    const kept = parts.pop()!;
    for (const part of parts) this.cutOff(episode, part);
    describe(episode.record, kept);
  }

  private cutOff(episode: Episode, part: readonly AlertWindow[]): void {
    const record: AlertRecord = {
      ...episode.record,
      alertId: this.newId(),
      state: AlertState.OPEN,
      acknowledgedAt: null,
      acknowledgedBy: null,
      note: null,
      resolvedAt: null,
      resolvedBy: null,
      resolution: null,
      resolutionReason: null,
      dismissedAt: null,
      dismissedBy: null,
      dismissedUntil: null,
      dismissedReason: null,
      handledSeverity: null,
      handledThrough: null,
      sequence: 0,
      createdAt: this.now,
    };
    describe(record, part);
    const cutOff = emptyEpisode(null, record, new Map(part.map((window) => [window.windowStart.getTime(), window])));
    cutOff.cutFrom = episode;
    for (const window of part) episode.windows.delete(window.windowStart.getTime());
    this.all.push(cutOff);
  }
}

/** True where the window belongs to the alert. */
function reaches(record: AlertRecord, window: AlertWindow): boolean {
  return (
    window.windowStart.getTime() <= reachEnd(record) && window.windowEnd.getTime() + JOIN_WITHIN_MS >= record.firstWindowStart.getTime()
  );
}

function reachEnd(record: AlertRecord): number {
  const joined = record.lastWindowEnd.getTime() + JOIN_WITHIN_MS;
  if (record.state === AlertState.DISMISSED) return Math.max(joined, record.dismissedUntil?.getTime() ?? Infinity);
  if (record.state === AlertState.RESOLVED && record.resolution === AlertResolution.OPERATOR && record.resolvedAt) {
    return Math.max(record.lastWindowStart.getTime(), Math.min(joined, record.resolvedAt.getTime() + REOPEN_WITHIN_MS));
  }
  return joined;
}

function put(episode: Episode, window: AlertWindow, fleetId: string | null): void {
  const { record } = episode;
  const start = window.windowStart.getTime();
  const known = episode.windows.get(start);
  episode.struck = true;
  if (
    known &&
    known.severity === window.severity &&
    known.score === window.score &&
    known.title === window.title &&
    isDeepStrictEqual(known.evidence, window.evidence)
  )
    return;
  if (!known) record.occurrenceCount += 1;
  if (isWorse(window.severity, known?.severity ?? null) && isWorse(window.severity, episode.raisedTo)) episode.raisedTo = window.severity;
  // A window is named by its start; its end stays as first told.
  episode.windows.set(start, known ? { ...window, windowEnd: known.windowEnd } : window);
  episode.written.add(start);
  record.firstWindowStart = earliest(record.firstWindowStart, window.windowStart);
  if (!known) record.lastWindowEnd = latest(record.lastWindowEnd, window.windowEnd);
  if (window.windowStart >= record.lastWindowStart) {
    const { severity, title, score, evidence, windowStart: lastWindowStart } = window;
    Object.assign(record, { severity, title, score, evidence, fleetId, lastWindowStart });
  }
}

function describe(record: AlertRecord, windows: readonly AlertWindow[]): void {
  const [first, last] = [windows[0]!, windows.at(-1)!];
  const { severity, title, score, evidence, windowStart: lastWindowStart } = last;
  Object.assign(record, {
    severity,
    title,
    score,
    evidence,
    lastWindowStart,
    firstWindowStart: first.windowStart,
    occurrenceCount: windows.length,
    lastWindowEnd: windows.map((window) => window.windowEnd).reduce(latest),
  });
}

/** Numbers as JSON keeps them, so that comparing with what is stored finds only real changes. */
function windowOf(finding: Finding): AlertWindow {
  const { windowStart, windowEnd, severity, title, score } = finding;
  return { windowStart, windowEnd, severity, title, score, evidence: JSON.parse(JSON.stringify(finding.evidence)) as Finding['evidence'] };
}

/** Which of several that are one stays: a number to sort by. */
function standingOf({ before, record }: Episode): number {
  const rank = isLive(record.state) ? 3 : record.state === AlertState.DISMISSED ? 2 : 1;
  return (before ? 10 : 0) + rank + record.lastWindowStart.getTime() / 1e16;
}

function earliest(one: Date, other: Date): Date {
  return one <= other ? one : other;
}
function latest(one: Date, other: Date): Date {
  return one >= other ? one : other;
}
