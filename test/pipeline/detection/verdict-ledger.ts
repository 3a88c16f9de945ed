/** Stands in for the alerts: what detection's verdicts leave behind, commit by commit. */
import type { Transaction } from '../../../src/database/database';
import {
  fingerprint,
  FiringHistory,
  VerdictCommit,
  type Finding,
  type FiringQuestion,
  type FiringWindow,
  type Verdicts,
} from '../../../src/detection/verdicts';

/** Stands where alerts stand: one occurrence per fingerprint and window, gone when judged without a finding. Follows commits only. */
export class VerdictLedger extends VerdictCommit {
  readonly occurrences = new Map<string, Finding & { clientId: number }>();
  readonly closedThrough = new Map<number, Date>();
  commits = 0;
  /** Thrown by the next commits: a process that dies between detect and commit. */
  failWith: Error | null = null;
  /** What a commit of these verdicts throws; null: nothing. */
  failOn: (verdicts: Verdicts) => Error | null = () => null;

  commit(tx: Transaction, verdicts: Verdicts): Promise<void> {
    const failure = this.failWith ?? this.failOn(verdicts);
    if (failure) return Promise.reject(failure);
    tx.afterCommit(() => this.apply(verdicts));
    return Promise.resolve();
  }

  /** Fingerprint, window, severity of everything that stands; sorted. */
  standing(clientId?: number): string[] {
    return [...this.occurrences.values()]
      .filter((finding) => clientId === undefined || finding.clientId === clientId)
      .map((finding) => `${fingerprint(finding)} ${finding.windowStart.toISOString().slice(0, 10)} ${finding.severity}`)
      .sort();
  }

  find(kind: string): Finding[] {
    return [...this.occurrences.values()].filter((finding) => finding.kind === kind);
  }

  private apply({ clientId, findings, judged, closedThrough }: Verdicts): void {
    this.commits += 1;
    const hit = new Set(findings.map((finding) => this.key(clientId, finding)));
    for (const group of judged) {
      for (const subjectId of group.subjectIds) {
        const key = this.key(clientId, { ...group, subjectId });
        if (!hit.has(key)) this.occurrences.delete(key);
      }
    }
    for (const finding of findings) this.occurrences.set(this.key(clientId, finding), { ...finding, clientId });
    if (closedThrough) this.closedThrough.set(clientId, closedThrough);
  }

  private key(clientId: number, of: Pick<Finding, 'subject' | 'subjectId' | 'detectorId' | 'kind' | 'windowStart'>): string {
    return `${clientId} ${fingerprint(of)} ${of.windowStart.getTime()}`;
  }
}

export class LedgerHistory extends FiringHistory {
  constructor(private readonly ledger: VerdictLedger) {
    super();
  }

  windows(_: Transaction, clientId: number, { kinds, subjectIds, from, to }: FiringQuestion): Promise<FiringWindow[]> {
    return Promise.resolve(
      [...this.ledger.occurrences.values()].filter(
        (finding) =>
          finding.clientId === clientId &&
          kinds.some(({ detectorId, kind }) => finding.detectorId === detectorId && finding.kind === kind) &&
          subjectIds[finding.subject]?.includes(finding.subjectId) === true &&
          finding.windowStart >= from &&
          finding.windowStart < to,
      ),
    );
  }
}
