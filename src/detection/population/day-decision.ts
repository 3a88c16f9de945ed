/** decide ─▶ raise: what a run counted becomes a decision per client and country, and with it alerts, in one transaction per client. */
import { singleton } from 'tsyringe';
import { Database, type Transaction } from '../../database/database';
import { Clock, Entropy } from '../../runtime';
import { addDays, endOfDay, type Day } from '../days';
import { recordRuns } from '../evaluation/runs';
import type { RunSummary } from '../evaluation/verdict-collector';
import { readConfiguration, type DetectorConfiguration } from '../host/configuration';
import { DetectorRegistry } from '../host/registry';
import { decide, type CellCount, type PairDecision } from '../significance/decide';
import type { OwnDays } from '../significance/own-usual';
import { VerdictCommit } from '../verdicts';
import { readOwnDays, replaceDecisions, type PairDays, type StoredDecision } from './decision-store';
import { readRankedDevices } from './anomaly-store';
import { isDecided, markDecided, readTallies, type ClientTally } from './checkpoints';
import { harmlessCountries } from './feedback-store';
import { findingsOf, judgedOf } from './findings';
import type { PlannedDetector } from './plan';

/** A pair's own past reaches so far back. */
const OWN_DAYS = 30;
/** Devices of a client that raise alerts of their own: as many as an engineer looks at. */
const RAISED_DEVICES = 20;

export interface DecidingRun {
  readonly runId: string;
  readonly plan: readonly PlannedDetector[];
  readonly onDemand: boolean;
  readonly startedAt: Date;
  readonly mustHold: (tx: Transaction) => Promise<void>;
}

/** What a detector decided on a day, or why it couldn't. */
export interface DetectorDecision {
  readonly planned: PlannedDetector;
  readonly pairs: readonly PairDecision[];
  readonly rows: number;
  readonly flagged: number;
  readonly failure: string | null;
}

@singleton()
export class DayDecision {
  constructor(
    private readonly database: Database,
    private readonly registry: DetectorRegistry,
    private readonly verdictCommit: VerdictCommit,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  /**
   * From the counts of all clients; a detector that failed anywhere says nothing of the day. `earlier`: what a back-test found of the days before, of
   * which nothing is stored; null: what is stored of them counts.
   */
  async decide(
    run: Pick<DecidingRun, 'runId' | 'plan'>,
    day: Day,
    clients: readonly number[],
    earlier: ReadonlyMap<Day, readonly DetectorDecision[]> | null,
  ): Promise<DetectorDecision[]> {
    const ownDays = earlier === null ? await this.ownDays(run.plan, day, clients) : daysOf(earlier);
    const cells = new Map<string, CellCount[]>(run.plan.map(({ detector }) => [detector.meta.id, []]));
    const totals = new Map<string, { rows: number; flagged: number; failure: string | null }>();
    for (const clientId of clients) {
      for (const [detectorId, tally] of await this.tallies(clientId, run.runId, day)) {
        const total = totals.get(detectorId) ?? { rows: 0, flagged: 0, failure: null };
        total.rows += tally.rows;
        total.flagged += tally.flagged;
        total.failure ??= tally.failure;
        totals.set(detectorId, total);
        for (const cell of tally.cells) cells.get(detectorId)?.push({ clientId, ...cell });
      }
    }
    return run.plan.map((planned) => {
      const { rows = 0, flagged = 0, failure = null } = totals.get(planned.detector.meta.id) ?? {};
      const detectorId = planned.detector.meta.id;
      const otherDays: OwnDays = (clientId, country) => ownDays.get(`${detectorId} ${clientId} ${country}`) ?? [];
      return { planned, rows, flagged, failure, pairs: failure === null ? decide(cells.get(detectorId)!, otherDays) : [] };
    });
  }

  /** Stores a client's part of the decision and raises what follows from it. Doing it again changes nothing. */
  async commit(run: DecidingRun, day: Day, clientId: number, decisions: readonly DetectorDecision[], closedThrough: Date): Promise<void> {
    const tallies = await this.tallies(clientId, run.runId, day);
    await this.database.transaction({ name: 'population.raise', role: 'ingest', clientId }, async (tx) => {
      await run.mustHold(tx);
      if (await isDecided(tx, clientId, run.runId, day)) return;
      const configuration = await readConfiguration(tx, clientId, []);
      const findings = [];
      const judged = [];
      for (const { planned, pairs, failure } of decisions) {
        if (failure !== null) continue;
        const own = pairs.filter((pair) => pair.clientId === clientId);
        const decision = await this.storeDecision(tx, { day, clientId, planned, configuration }, own);
        findings.push(...(await findingsOf(tx, decision)));
        judged.push(...judgedOf(decision));
      }
      await this.verdictCommit.commit(tx, { clientId, findings, judged, closedThrough, ofPopulation: true });
      const trigger = run.onDemand ? 'ON_DEMAND' : 'DAY_CLOSE';
      const finishedAt = this.clock.now();
      await recordRuns(tx, this.entropy, { clientId, day, trigger, startedAt: run.startedAt, finishedAt }, summariesOf(run.plan, tallies));
      await markDecided(tx, clientId, run.runId, day);
    });
  }

  private async storeDecision(
    tx: Transaction,
    of: { day: Day; clientId: number; planned: PlannedDetector; configuration: DetectorConfiguration },
    pairs: readonly PairDecision[],
  ): Promise<StoredDecision> {
    const { day, clientId, planned, configuration } = of;
    const detectorId = planned.detector.meta.id;
    const mode = configuration.clientRow(detectorId)?.mode ?? this.registry.defaultMode(detectorId);
    const harmless = await harmlessCountries(tx, clientId, detectorId, day);
    const countries = pairs
      .filter(({ verdict, country }) => verdict === 'ANOMALOUS' && !harmless.has(country))
      .map(({ country }) => country);
    const raised =
      mode === 'ENABLED' && countries.length > 0
        ? await readRankedDevices(tx, { clientId, day, detectorId, countries, limit: RAISED_DEVICES })
        : [];
    return replaceDecisions(tx, { clientId, day, planned, mode, pairs: mode === 'DISABLED' ? [] : pairs, harmless, raised });
  }

  /** Under the detector, the client and the country. */
  private async ownDays(plan: readonly PlannedDetector[], day: Day, clients: readonly number[]): Promise<PairDays> {
    const all: PairDays = new Map();
    const from = addDays(day, -OWN_DAYS);
    for (const clientId of clients) {
      const read = { name: 'population.ownDays', role: 'ingest', clientId, readOnly: true } as const;
      await this.database.transaction(read, (tx) => readOwnDays(tx, { clientId, from, before: day, plan }, all));
    }
    return all;
  }

  private tallies(clientId: number, runId: string, day: Day): Promise<Map<string, ClientTally>> {
    return this.database.transaction({ name: 'population.tallies', role: 'ingest', clientId, readOnly: true }, (tx) =>
      readTallies(tx, clientId, runId, day),
    );
  }
}

function daysOf(earlier: ReadonlyMap<Day, readonly DetectorDecision[]>): PairDays {
  const all: PairDays = new Map();
  for (const decisions of [...earlier.values()].slice(-OWN_DAYS)) {
    for (const { planned, pairs } of decisions) {
      for (const { clientId, country, devices, flagged } of pairs) {
        const key = `${planned.detector.meta.id} ${clientId} ${country}`;
        all.set(key, [...(all.get(key) ?? []), { devices, flagged }]);
      }
    }
  }
  return all;
}

function summariesOf(plan: readonly PlannedDetector[], tallies: ReadonlyMap<string, ClientTally>): RunSummary[] {
  return plan.flatMap(({ detector }) => {
    const tally = tallies.get(detector.meta.id);
    return tally ? [{ detector, rows: tally.rows, abstained: tally.abstained, hits: tally.flagged, failure: tally.failure }] : [];
  });
}

/** End of the day, or of a later one that was decided before: a run of the past clears nothing that a later one raised. */
export async function decidedThrough(tx: Transaction, day: Day): Promise<Date> {
  const [row] = await tx.query<{ last: Day | null }>(
    `SELECT max(to_day) AS last FROM population_run WHERE client_id = $1 AND state = 'SUCCEEDED' AND trigger <> 'BACKTEST'`,
    [0],
  );
  return new Date(endOfDay(row?.last && row.last > day ? row.last : day));
}
