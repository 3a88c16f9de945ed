/** From what a detector answered to verdicts: the rows of one subject are merged, the loudest speaks, and says why. */
import type { Detector, Kind } from '../../detector';
import { startOfDay, windowOf, type Day } from '../days';
import type { Observation, ObservationScope } from '../observe';
import type { Finding, Judged } from '../verdicts';
import { checkEvidence } from './detection-check';
import type { GroupRun, RunMaterial } from './run';
import { withinBudget } from './time-budget';

/** Whom a row speaks of for this kind; null where it speaks of nobody (a SIM without a fleet, an event without a network). */
export function subjectOf(kind: Pick<Kind, 'subject'>, scope: ObservationScope, observation: Observation, row: number): string | null {
  switch (kind.subject) {
    case 'SIM':
      return scope.sims[observation.simOfRow[row]!]!.simId;
    case 'FLEET':
      return scope.sims[observation.simOfRow[row]!]!.fleetId;
    case 'NETWORK':
      return observation.networkOfRow[row] ?? null;
    case 'COUNTRY':
      return observation.countryOfRow?.[row] ?? null;
    case 'CLIENT':
      return String(scope.clientId);
  }
}

/** The row that speaks for one subject of one kind. */
interface Speaker {
  readonly kind: Kind;
  readonly subjectId: string;
  readonly run: GroupRun;
  /** Row within the run's input. */
  readonly row: number;
  readonly fires: number;
  readonly score: number;
}

interface KindVerdict {
  readonly kind: Kind;
  readonly judged: Set<string>;
  readonly speakers: Map<string, Speaker>;
}

/** Per kind: who was judged, and for each the row with the highest `fires`, then score; the first of equals. */
function judge(detector: Detector, { scope, observation, later }: RunMaterial, runs: readonly GroupRun[]): KindVerdict[] {
  const width = detector.meta.kinds.length;
  return detector.meta.kinds.map((kind, index) => {
    const verdict: KindVerdict = { kind, judged: new Set(), speakers: new Map() };
    if (kind.judged === 'CLOSED_DAY' && !scope.closed) return verdict;
    for (const run of runs) {
      run.group.rows.forEach((source, row) => {
        const cell = row * width + index;
        const subjectId = subjectOf(kind, scope, observation, source);
        if (subjectId === null || run.answer.abstained[cell] === 1 || later.supersedes(kind.window, kind.subject, subjectId)) return;
        verdict.judged.add(subjectId);
        const candidate: Speaker = { kind, subjectId, run, row, fires: run.answer.fires[cell]!, score: run.answer.scores[cell]! };
        const known = verdict.speakers.get(subjectId);
        if (candidate.fires > 0 && (!known || isLouder(candidate, known))) verdict.speakers.set(subjectId, candidate);
      });
    }
    return verdict;
  });
}

export function isLouder(one: { fires: number; score: number }, other: { fires: number; score: number }): boolean {
  return one.fires > other.fires || (one.fires === other.fires && one.score > other.score);
}

/** How many subjects fired, over all kinds. */
export function countSubjects(detector: Detector, material: RunMaterial, runs: readonly GroupRun[]): number {
  return judge(detector, material, runs).reduce((sum, verdict) => sum + verdict.speakers.size, 0);
}

export async function verdictsOf(
  detector: Detector,
  material: RunMaterial,
  runs: readonly GroupRun[],
): Promise<{ findings: Finding[]; judged: Judged[] }> {
  const { scope } = material;
  const verdicts = judge(detector, material, runs);
  const speakers = verdicts.flatMap((verdict) => [...verdict.speakers.values()]);
  const evidence = await explain(detector, speakers, runs);
  return {
    findings: speakers.map((speaker) => findingOf(detector, material, speaker, evidence.get(speaker) ?? [])),
    judged: verdicts
      .filter((verdict) => verdict.judged.size > 0)
      .map(({ kind, judged }) => ({
        detectorId: detector.meta.id,
        kind: kind.id,
        subject: kind.subject,
        windowStart: instantOf(windowOf(kind.window, scope.day, scope.calendar.billingCycleDay).start),
        subjectIds: [...judged],
      })),
  };
}

async function explain(
  detector: Detector,
  speakers: readonly Speaker[],
  runs: readonly GroupRun[],
): Promise<Map<Speaker, Finding['evidence']>> {
  const evidence = new Map<Speaker, Finding['evidence']>();
  if (!detector.explain) return evidence;
  for (const run of runs) {
    const flagged = speakers.filter((speaker) => speaker.run === run);
    if (flagged.length === 0) continue;
    const asked = flagged.map(({ row, kind }) => ({ row, kind: kind.id }));
    const answer = checkEvidence(
      asked.length,
      await withinBudget(async (signal) => detector.explain!(run.input, asked, { ...run.context, signal })),
    );
    flagged.forEach((speaker, index) => evidence.set(speaker, answer[index]!));
  }
  return evidence;
}

function findingOf(detector: Detector, { scope, observation }: RunMaterial, speaker: Speaker, evidence: Finding['evidence']): Finding {
  const { kind, run, row, subjectId } = speaker;
  const window = windowOf(kind.window, scope.day, scope.calendar.billingCycleDay);
  const sim = scope.sims[observation.simOfRow[run.group.rows[row]!]!]!;
  return {
    detectorId: detector.meta.id,
    kind: kind.id,
    title: kind.title,
    subject: kind.subject,
    subjectId,
    simId: kind.subject === 'SIM' ? sim.simId : null,
    fleetId: kind.subject === 'SIM' || kind.subject === 'FLEET' ? sim.fleetId : null,
    windowStart: instantOf(window.start),
    windowEnd: instantOf(window.end),
    severity: speaker.fires === 2 ? (kind.escalated ?? kind.severity) : kind.severity,
    score: speaker.score,
    evidence,
  };
}

function instantOf(day: Day): Date {
  return new Date(startOfDay(day));
}
