/** Finds SIMs that cannot attach, and networks in which many of a client's SIMs fail at once: a broken roaming agreement, before the customer calls. */
import {
  codeOf,
  countInWords,
  defineDetector,
  DetectionDraft,
  nameAt,
  percentInWords,
  subjects,
  type Evidence,
  type Kind,
  type SubjectRows,
} from 'simwarden/detector';

const kinds = [
  {
    id: 'SIM_CANNOT_ATTACH',
    title: 'The SIM is refused again and again and never gets in',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
  {
    id: 'NETWORK_ROAMING_FAILURE',
    title: "Many SIMs of the client can't attach in a network",
    severity: 'CRITICAL',
    subject: 'NETWORK',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
] as const satisfies readonly Kind[];

export default defineDetector({
  meta: {
    id: 'connection-failures',
    version: '1.0.0',
    contract: 1,
    title: 'Attachment failures',
    summary:
      'Counts rejected and failed attachments of SIMs that never got in on the day, per SIM and as a share of the SIMs that tried in a network.',
    input: 'events',
    needs: [
      'subject',
      'eventClass',
      'eventType',
      'eventCount',
      'network',
      'networkSimsTried',
      'networkSimsFailed',
      'eventBlockedByUs',
      'eventCritical',
    ],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        minimumFailures: {
          type: 'integer',
          default: 5,
          minimum: 1,
          maximum: 100_000,
          description: 'Rejected or failed attachments of a SIM on a day without an accepted one (events).',
        },
        failedSharePercent: {
          type: 'number',
          default: 50,
          minimum: 1,
          maximum: 100,
          description: 'Share of the SIMs that tried in a network and never got in (percent).',
        },
        minimumFailedSims: {
          type: 'integer',
          default: 5,
          minimum: 2,
          maximum: 1_000_000,
          description: 'How many SIMs must have failed in the network at least (SIMs).',
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'paper-anchor, Table I, incidents 1 and 3 (roaming agreement misconfigured; service rejects)',
    limits: 'Sees what connection events report: a network that answers nothing at all looks like silence, not like failure.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const cannotAttach = draft.kind('SIM_CANNOT_ATTACH');
    const roaming = draft.kind('NETWORK_ROAMING_FAILURE');
    const at = input.columns;
    const accepted = codeOf(at.eventType, 'ATTACHMENT_ACCEPTED');
    const failures = new Set([codeOf(at.eventType, 'ATTACHMENT_REJECTED'), codeOf(at.eventType, 'ATTACHMENT_FAILED')]);
    const service = new Set([
      codeOf(at.eventType, 'DATA_SESSION_STARTED'),
      codeOf(at.eventType, 'DATA_SESSION_UPDATED'),
      codeOf(at.eventType, 'USAGE'),
    ]);
    for (const sim of subjects(at.subject, input.rows)) {
      if (at.eventBlockedByUs[sim.from] === 1) abstain(sim);
      else {
        judgeSim(sim);
        for (let row = sim.from; row < sim.to; row++) judgeNetwork(row);
      }
    }
    return draft.detection();

    function abstain(sim: SubjectRows): void {
      for (let row = sim.from; row < sim.to; row++) {
        cannotAttach.abstain(row, 'we blocked the SIM: its failures are ours');
        roaming.abstain(row, 'we blocked the SIM: its failures are ours');
      }
    }

    function judgeSim(sim: SubjectRows): void {
      let failed = 0;
      let lastFailure = -1;
      for (let row = sim.from; row < sim.to; row++) {
        const type = at.eventType.codes[row]!;
        if (type === accepted) return;
        if (failures.has(type)) {
          failed += countAt(at.eventCount, row);
          lastFailure = row;
        } else if (service.has(type)) lastFailure = -1; // data flows after the failures: the SIM did get in
      }
      if (lastFailure < 0) return;
      const fires = failed >= options.minimumFailures;
      cannotAttach.judge(lastFailure, failed / options.minimumFailures, fires ? (at.eventCritical[lastFailure] === 1 ? 2 : 1) : 0);
    }

    function judgeNetwork(row: number): void {
      const tried = at.networkSimsTried[row]!;
      const failed = at.networkSimsFailed[row]!;
      if (at.network.codes[row]! < 0 || !(tried > 0) || Number.isNaN(failed)) return;
      // At least 1 exactly when both the share and the number are reached.
      const score = Math.min((100 * failed) / tried / options.failedSharePercent, failed / options.minimumFailedSims);
      roaming.judge(row, score, score >= 1 ? 1 : 0);
    }
  },

  explain(input, rows, { options }) {
    const at = input.columns;
    return rows.map(({ row, kind }): Evidence[] => {
      const plmn = nameAt(at.network, row);
      if (kind === 'NETWORK_ROAMING_FAILURE') {
        const tried = at.networkSimsTried[row]!;
        const failed = at.networkSimsFailed[row]!;
        const share = (100 * failed) / tried;
        return [
          {
            column: 'networkSimsFailed',
            observed: failed,
            expected: (tried * options.failedSharePercent) / 100,
            unit: 'SIMs',
            weight: 1,
            text: `${failed} of ${countInWords(tried, 'SIM')} that tried to attach in ${plmn ?? 'the network'} never got in (${percentInWords(share)}, limit ${percentInWords(options.failedSharePercent)})`,
          },
        ];
      }
      const failures = failuresUpTo(at, row);
      return [
        {
          column: 'eventCount',
          observed: failures,
          expected: options.minimumFailures,
          unit: 'events',
          weight: 1,
          text: `${countInWords(failures, 'attachment')} rejected or failed and none accepted on the day${plmn === null ? '' : `, last in ${plmn}`}`,
        },
      ];
    });
  },
});

/** A row without a count stands for one event. */
function countAt(eventCount: Float64Array, row: number): number {
  return eventCount[row]! >= 0 ? eventCount[row]! : 1;
}

/** Failures of the row's SIM; the row that fires is its last failure, so looking back is enough. */
function failuresUpTo(
  at: { subject: Float64Array; eventCount: Float64Array; eventType: { codes: Int32Array; names: readonly string[] } },
  row: number,
): number {
  let failed = 0;
  for (let earlier = row; earlier >= 0 && at.subject[earlier] === at.subject[row]; earlier--) {
    const type = nameAt(at.eventType, earlier);
    if (type === 'ATTACHMENT_REJECTED' || type === 'ATTACHMENT_FAILED') failed += countAt(at.eventCount, earlier);
  }
  return failed;
}
