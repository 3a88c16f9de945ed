/** raise: from verdicts to alerts. At most one live alert per fingerprint, one occurrence per window, and nothing written where nothing changed. */
import { singleton } from 'tsyringe';
import type { Transaction } from '../database/database';
import { takeTurn } from '../database/lease';
import { DetectorRegistry } from '../detection/host/registry';
import { fingerprint, type Finding, type Judged, type Verdicts } from '../detection/verdicts';
import { Entropy } from '../runtime';
import { announceAlerts, noteChange, type AlertChange } from './alert-change';
import { lockAround, lockClearable, readWindows, writeAlerts, writeWindows } from './alert-storage';
import { CLEAR_AFTER_MS, Episodes, JOIN_WITHIN_MS, storedEpisode, type Episode } from './episodes';
import { settle } from './settle';

/** The windows of one fingerprint that these verdicts are about. */
interface Touched {
  readonly hits: Finding[];
  readonly retracted: number[];
}

@singleton()
export class AlertRaiser {
  constructor(
    private readonly entropy: Entropy,
    private readonly registry: DetectorRegistry,
  ) {}

  /** `now`: the wall clock, which says what is late and which dismissals ran out. Everything else goes by event time. */
  async raise(tx: Transaction, verdicts: Verdicts, now: Date): Promise<AlertChange[]> {
    const { clientId, closedThrough } = verdicts;
    // One evaluation of a client raises at a time: the next then sees, and joins, what this one raised.
    await takeTurn(tx, `raise:${clientId}`);
    const touched = await touchedFingerprints(tx, verdicts);
    const episodes = await this.workOut(tx, verdicts, touched, now);
    const known = new Set(episodes.map(({ record }) => record.alertId));
    if (closedThrough) {
      const clearable = await lockClearable(tx, clientId, new Date(closedThrough.getTime() - CLEAR_AFTER_MS));
      for (const record of clearable.filter(({ alertId, detectorId }) => !known.has(alertId) && this.mayClear(verdicts, detectorId))) {
        const episode = storedEpisode(record, []);
        settle(episode, { closedThrough, now }, false);
        episodes.push(episode);
      }
    }
    return this.store(tx, clientId, episodes, now);
  }

  /** The population is judged later than the day closes, so a close says nothing of its alerts, and its run nothing of the others. */
  private mayClear({ ofPopulation }: Verdicts, detectorId: string): boolean {
    return (this.registry.find(detectorId)?.meta.scope === 'population') === (ofPopulation ?? false);
  }

  private async workOut(tx: Transaction, verdicts: Verdicts, touched: ReadonlyMap<string, Touched>, now: Date): Promise<Episode[]> {
    if (touched.size === 0) return [];
    const { clientId, closedThrough } = verdicts;
    const records = await lockAround(tx, clientId, [...touched.keys()], loadFrom(touched, closedThrough));
    const retracting = records.filter((record) => touched.get(record.fingerprint)!.retracted.length > 0);
    const starts = new Set([...touched.values()].flatMap(({ hits }) => hits.map(({ windowStart }) => windowStart.getTime())));
    const windows =
      records.length === 0
        ? new Map<string, never[]>()
        : await readWindows(
            tx,
            clientId,
            records.map(({ alertId }) => alertId),
            [...starts].map((start) => new Date(start)),
            retracting.map(({ alertId }) => alertId),
          );
    const byFingerprint = new Map<string, Episode[]>([...touched.keys()].map((print) => [print, []]));
    for (const record of records) byFingerprint.get(record.fingerprint)!.push(storedEpisode(record, windows.get(record.alertId) ?? []));
    return [...byFingerprint].flatMap(([print, stored]) => {
      const episodes = new Episodes(stored, now, () => this.entropy.uuid());
      const { hits, retracted } = touched.get(print)!;
      for (const finding of hits) episodes.hit(clientId, print, finding);
      episodes.retract(retracted);
      const last = episodes.standing().at(-1);
      for (const episode of episodes.all) settle(episode, { closedThrough, now }, last !== undefined && last !== episode);
      return episodes.all;
    });
  }

  private async store(tx: Transaction, clientId: number, episodes: readonly Episode[], now: Date): Promise<AlertChange[]> {
    // An alert that was new and at once found to be part of another was never there.
    const real = episodes.filter(({ before, mergedInto }) => before !== null || mergedInto === null);
    const changed = real.flatMap(({ before, record, written, retracted }) => {
      const change = noteChange(before, record, written.size + retracted.size > 0, now, () => this.entropy.uuid());
      return change ? [{ record, isNew: before === null, change }] : [];
    });
    if (changed.length === 0) return [];
    await writeAlerts(tx, clientId, changed);
    await writeWindows(tx, clientId, real, now);
    const changes = changed.map(({ change }) => change);
    await announceAlerts(tx, clientId, changes, now);
    return changes;
  }
}

async function touchedFingerprints(tx: Transaction, verdicts: Verdicts): Promise<Map<string, Touched>> {
  const touched = new Map<string, { hits: Finding[]; retracted: number[] }>();
  const of = (print: string): Touched => touched.get(print) ?? touched.set(print, { hits: [], retracted: [] }).get(print)!;
  const hitWindows = new Set<string>();
  for (const finding of verdicts.findings) {
    const print = fingerprint(finding);
    of(print).hits.push(finding);
    hitWindows.add(`${print}@${finding.windowStart.getTime()}`);
  }
  for (const { print, start } of await firingAmongJudged(tx, verdicts)) {
    if (!hitWindows.has(`${print}@${start}`)) of(print).retracted.push(start);
  }
  for (const { hits } of touched.values()) hits.sort((a, b) => a.windowStart.getTime() - b.windowStart.getTime());
  return touched;
}

interface FiringRow {
  readonly fingerprint: string;
  readonly detectorId: string;
  readonly kind: string;
  readonly subject: string;
  readonly subjectId: string;
  readonly windowStart: Date;
}

/** The stored windows that were judged now: few, compared with all that was judged. */
async function firingAmongJudged(tx: Transaction, { clientId, judged }: Verdicts): Promise<{ print: string; start: number }[]> {
  if (judged.length === 0) return [];
  const starts = [...new Set(judged.map(({ windowStart }) => windowStart.getTime()))].map((start) => new Date(start));
  // SIMs, of which there are thousands, are found by themselves, whatever the kinds; the few other subjects by their fingerprints.
  const simIds = new Set(judged.filter(({ subject }) => subject === 'SIM').flatMap(({ subjectIds }) => [...subjectIds]));
  const prints = judged
    .filter(({ subject }) => subject !== 'SIM')
    .flatMap((group) => group.subjectIds.map((subjectId) => fingerprint({ ...group, subjectId })));
  const firing = `SELECT alert.fingerprint, alert.detector_id AS "detectorId", alert.kind, alert.subject, alert.subject_id AS "subjectId",
       occurrence.window_start AS "windowStart"
     FROM alert JOIN alert_occurrence occurrence ON occurrence.client_id = alert.client_id AND occurrence.alert_id = alert.alert_id
     WHERE alert.client_id = $1 AND occurrence.client_id = $1 AND occurrence.window_start = ANY($2::timestamptz[])`;
  const rows = await tx.query<FiringRow>(
    `${firing} AND alert.sim_id = ANY($3::int8[]) UNION ALL ${firing} AND alert.fingerprint = ANY($4::text[])`,
    [clientId, starts, [...simIds], prints],
  );
  const groups = new Map<string, Set<string>>();
  const judgedIds = (row: FiringRow): Set<string> => {
    const key = groupKey(row);
    const ids = groups.get(key) ?? new Set(judged.filter((group) => groupKey(group) === key).flatMap(({ subjectIds }) => [...subjectIds]));
    groups.set(key, ids);
    return ids;
  };
  return rows
    .filter((row) => judgedIds(row).has(row.subjectId))
    .map((row) => ({ print: row.fingerprint, start: row.windowStart.getTime() }));
}

function groupKey(group: Pick<Judged, 'detectorId' | 'kind' | 'subject' | 'windowStart'> | FiringRow): string {
  return `${group.detectorId}:${group.kind}:${group.subject}:${group.windowStart.getTime()}`;
}

/** From where on resolved alerts matter: what a window may join, and what a retraction may bring back because its days aren't closed yet. */
function loadFrom(touched: ReadonlyMap<string, Touched>, closedThrough: Date | null): Date | null {
  if (!closedThrough) return null;
  let since = closedThrough.getTime() - CLEAR_AFTER_MS;
  for (const { hits, retracted } of touched.values()) {
    for (const hit of hits) since = Math.min(since, hit.windowStart.getTime() - JOIN_WITHIN_MS);
    for (const start of retracted) since = Math.min(since, start - JOIN_WITHIN_MS);
  }
  return new Date(since);
}
