/** Gathers the verdicts of an evaluation's pages: those on SIMs leave with their page, those on fleets, networks and the client with the last one. */
import type { Detector } from '../../detector';
import { isLouder } from '../host/judge';
import type { DetectorOutcome } from '../host/run';
import type { Finding, Judged } from '../verdicts';

/** What one detector did in one evaluation of a day. */
export interface RunSummary {
  readonly detector: Detector;
  readonly rows: number;
  readonly abstained: number;
  readonly hits: number;
  readonly failure: string | null;
}

export interface PageVerdicts {
  readonly findings: readonly Finding[];
  readonly judged: readonly Judged[];
}

export class VerdictCollector {
  private readonly summaries = new Map<string, RunSummary>();
  private page: { findings: Finding[]; judged: Judged[] } = { findings: [], judged: [] };
  /** Per subject that several pages may speak of: the loudest finding. */
  private readonly shared = new Map<string, Finding>();
  private readonly sharedJudged = new Map<string, Judged & { readonly subjects: Set<string> }>();

  add(outcomes: readonly DetectorOutcome[]): void {
    for (const outcome of outcomes) {
      this.count(outcome);
      for (const finding of outcome.findings) {
        if (finding.subject === 'SIM') this.page.findings.push(finding);
        else this.keepLoudest(finding);
      }
      for (const judged of outcome.judged) {
        if (judged.subject === 'SIM') this.page.judged.push(judged);
        else this.keepJudged(judged);
      }
    }
  }

  /** The verdicts on SIMs since the last call. */
  takePage(): PageVerdicts {
    const taken = this.page;
    this.page = { findings: [], judged: [] };
    return taken;
  }

  /** The rest, once every page was added. A detector that failed on any page says nothing about what its pages share. */
  takeLast(): PageVerdicts {
    const page = this.takePage();
    const works = (verdict: { readonly detectorId: string }) => this.summaries.get(verdict.detectorId)?.failure === null;
    const judged = [...this.sharedJudged.values()].map(({ subjects, ...rest }): Judged => ({ ...rest, subjectIds: [...subjects] }));
    return {
      findings: [...page.findings, ...[...this.shared.values()].filter(works)],
      judged: [...page.judged, ...judged.filter(works)],
    };
  }

  runs(): RunSummary[] {
    const hits = [...this.shared.values()];
    return [...this.summaries.values()].map((summary) => ({
      ...summary,
      hits: summary.hits + hits.filter((finding) => finding.detectorId === summary.detector.meta.id).length,
    }));
  }

  private count({ detector, rows, abstained, hits, failure, findings }: DetectorOutcome): void {
    const soFar = this.summaries.get(detector.meta.id);
    // What several pages found is counted once, at the end.
    const own = hits - findings.filter((finding) => finding.subject !== 'SIM').length;
    this.summaries.set(detector.meta.id, {
      detector,
      rows: rows + (soFar?.rows ?? 0),
      abstained: abstained + (soFar?.abstained ?? 0),
      hits: own + (soFar?.hits ?? 0),
      failure: soFar?.failure ?? failure,
    });
  }

  private keepLoudest(finding: Finding): void {
    const key = `${finding.detectorId} ${finding.kind} ${finding.windowStart.getTime()} ${finding.subjectId}`;
    const known = this.shared.get(key);
    if (!known || isLouder(loudness(finding), loudness(known))) this.shared.set(key, finding);
  }

  private keepJudged(judged: Judged): void {
    const key = `${judged.detectorId} ${judged.kind} ${judged.windowStart.getTime()}`;
    const known = this.sharedJudged.get(key) ?? { ...judged, subjects: new Set<string>() };
    for (const subjectId of judged.subjectIds) known.subjects.add(subjectId);
    this.sharedJudged.set(key, known);
  }
}

const severities: readonly Finding['severity'][] = ['INFO', 'WARNING', 'CRITICAL'];

function loudness(finding: Finding): { fires: number; score: number } {
  return { fires: severities.indexOf(finding.severity), score: finding.score };
}
