/** Finds SIMs in networks where they have no business: off their list, or, without a list, where none of the client's SIMs ever is. */
import {
  codeOf,
  countInWords,
  defineDetector,
  DetectionDraft,
  nameAt,
  subjects,
  type Evidence,
  type Kind,
  type SubjectRows,
} from 'simwarden/detector';

const kinds = [
  {
    id: 'NETWORK_NOT_ALLOWED',
    title: 'The SIM is in a network that is not on its list',
    severity: 'WARNING',
    escalated: 'CRITICAL',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
  {
    id: 'UNUSUAL_NETWORK',
    title: 'The SIM is in a country where the client has no SIMs',
    severity: 'WARNING',
    subject: 'SIM',
    window: 'DAY',
    judged: 'ANY_TIME',
  },
] as const satisfies readonly Kind[];

export default defineDetector({
  meta: {
    id: 'unexpected-network',
    version: '1.0.0',
    contract: 1,
    title: 'Unexpected networks',
    summary:
      "Holds each sighting against the SIM's list of networks; without a list, against the countries of the client's SIMs in 28 days.",
    input: 'events',
    needs: ['subject', 'eventType', 'network', 'networkAllowed', 'networkFamilySims'],
    kinds,
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        allowedNetworks: {
          type: 'array',
          default: [],
          maxItems: 1000,
          items: { type: 'string', pattern: '^\\d{3}(-?\\d{2,3})?$' },
          description:
            'Networks (214-07) or whole countries by MCC (214) where the SIMs may be; empty = no list. The host turns it into the column.',
        },
        maximumOtherSims: {
          type: 'integer',
          default: 0,
          minimum: 0,
          maximum: 1_000_000,
          description: "Without a list: a country with more of the client's SIMs than this in 28 days is usual (SIMs).",
        },
      },
    },
    decides: 'itself',
    scope: 'client',
    reference: 'article-rogue-sims ("connected to an unexpected network in an unforeseen location")',
    limits: 'Devices that travel by trade need a list. The first SIM of a legitimate deployment in a new country alarms once.',
  },

  detect(input, { options }) {
    const draft = new DetectionDraft(input, kinds);
    const forbidden = draft.kind('NETWORK_NOT_ALLOWED');
    const unusual = draft.kind('UNUSUAL_NETWORK');
    const { subject, eventType, network, networkAllowed, networkFamilySims } = input.columns;
    const withoutService = new Set([codeOf(eventType, 'ATTACHMENT_REJECTED'), codeOf(eventType, 'ATTACHMENT_FAILED')]);
    for (const sim of subjects(subject, input.rows)) {
      judgeList(sim);
      judgeHabit(sim);
    }
    return draft.detection();

    function judgeList(sim: SubjectRows): void {
      let known = false;
      for (let row = sim.from; row < sim.to; row++) {
        // A known network without a list is judged too: nothing is forbidden, and the alert of a list that was taken away clears.
        known ||= network.codes[row]! >= 0;
        // An attempt that the network refused is worth a warning; service in a forbidden network is critical.
        const level = withoutService.has(eventType.codes[row]!) ? 1 : 2;
        if (networkAllowed[row] === 0) forbidden.judge(row, level, level);
      }
      for (let row = sim.from; !known && row < sim.to; row++) forbidden.abstain(row, 'no network is known');
    }

    function judgeHabit(sim: SubjectRows): void {
      let known = false;
      for (let row = sim.from; row < sim.to; row++) {
        const others = networkFamilySims[row]!;
        const listed = !Number.isNaN(networkAllowed[row]!);
        known ||= listed || (!Number.isNaN(others) && network.codes[row]! >= 0);
        if (listed || network.codes[row]! < 0 || Number.isNaN(others)) continue;
        // From the second day on the SIM itself is among those seen there: it must not clear its own alert.
        const usual = options.maximumOtherSims + (unusual.wasFiring(row) ? 1 : 0);
        unusual.judge(row, (usual + 1) / (others + 1), others <= usual ? 1 : 0);
      }
      for (let row = sim.from; !known && row < sim.to; row++)
        unusual.abstain(row, 'no network is known, or the client has less than 7 days of history');
    }
  },

  explain(input, rows) {
    const { network, eventType, networkFamilySims } = input.columns;
    return rows.map(({ row, kind }): Evidence[] => {
      const plmn = nameAt(network, row);
      if (kind === 'NETWORK_NOT_ALLOWED') {
        const attempt = (nameAt(eventType, row) ?? '').startsWith('ATTACHMENT_') && nameAt(eventType, row) !== 'ATTACHMENT_ACCEPTED';
        const text = `${attempt ? 'tried to attach' : 'seen'} in ${plmn ?? 'a network'}, which is not on the list of allowed networks`;
        return [{ column: 'network', observed: plmn, expected: 'a network on the list', unit: '', weight: 1, text }];
      }
      const others = networkFamilySims[row]!;
      const text = `seen in ${plmn ?? 'a network'}, in whose country ${countInWords(others, 'SIM')} of the client ${others === 1 ? 'was' : 'were'} in the 28 days before`;
      return [{ column: 'networkFamilySims', observed: others, expected: null, unit: 'SIMs', weight: 1, text }];
    });
  },
});
