/** From a stored decision to findings: one per anomalous country, and one per device at the top of its ranking. */
import type { Transaction } from '../../database/database';
import type { Evidence } from '../../detector';
import { endOfDay, startOfDay, type Day } from '../days';
import { readConfiguration } from '../host/configuration';
import type { PairDecision } from '../significance/decide';
import { clientInCountry, type Finding, type Judged } from '../verdicts';
import type { StoredDecision } from './decision-store';

/** The host's own kind: too many devices of a client in a country. */
export const CLIENT_KIND = 'CLIENT_ANOMALY';

function window(day: Day): Pick<Finding, 'windowStart' | 'windowEnd'> {
  return { windowStart: new Date(startOfDay(day)), windowEnd: new Date(endOfDay(day)) };
}

export async function findingsOf(tx: Transaction, decision: StoredDecision): Promise<Finding[]> {
  if (decision.mode !== 'ENABLED') return [];
  const anomalous = decision.pairs.filter(({ verdict, country }) => verdict === 'ANOMALOUS' && !decision.harmless.has(country));
  return [...anomalous.map((pair) => clientFinding(decision, pair)), ...(await deviceFindings(tx, decision))];
}

function clientFinding({ clientId, day, planned }: StoredDecision, pair: PairDecision): Finding {
  return {
    detectorId: planned.detector.meta.id,
    kind: CLIENT_KIND,
    title: `Unusually many devices in ${pair.country} signal abnormally`,
    subject: 'CLIENT',
    subjectId: clientInCountry(clientId, pair.country),
    simId: null,
    fleetId: null,
    ...window(day),
    severity: 'WARNING',
    score: pair.zScore,
    evidence: [countryEvidence(pair.country), flaggedEvidence(pair)],
  };
}

function countryEvidence(country: string): Evidence {
  return { column: 'country', observed: country, expected: null, unit: '', weight: 0, text: `visited country ${country}` };
}

const ownWords = { OTHER_DAYS: 'its own days before', OTHER_COUNTRIES: 'its own devices in other countries' } as const;

function flaggedEvidence({ devices, flagged, expected, own, zScore, correctedPValue }: PairDecision): Evidence {
  const itself = own?.expected == null ? '' : `, ${own.expected.toFixed(1)} from ${ownWords[own.by!]}`;
  const text = `${flagged} of ${devices} devices flagged, ${expected.toFixed(1)} expected from the same clusters at other clients${itself} (z ${zScore.toFixed(2)}, corrected p ${correctedPValue.toExponential(1)})`;
  return { column: 'flagged', observed: flagged, expected: Math.round(expected * 10) / 10, unit: 'SIMs', weight: 1, text };
}

/** A fleet or SIM may have the detector in shadow, or off, of its own. */
async function deviceFindings(tx: Transaction, { clientId, day, planned, raised }: StoredDecision): Promise<Finding[]> {
  if (raised.length === 0) return [];
  const { meta } = planned.detector;
  const kind = meta.kinds[0]!;
  const simIds = raised.map(({ simId }) => simId);
  const configuration = await readConfiguration(tx, clientId, simIds);
  return raised
    .filter(({ simId, fleetId }) => (configuration.rowFor(meta.id, { simId, fleetId })?.mode ?? 'ENABLED') === 'ENABLED')
    .map(({ simId, fleetId, country, score, evidence }) => ({
      detectorId: meta.id,
      kind: kind.id,
      title: kind.title,
      subject: 'SIM' as const,
      subjectId: simId,
      simId,
      fleetId,
      ...window(day),
      severity: kind.severity,
      score,
      evidence: [...evidence, countryEvidence(country)],
    }));
}

/** Whoever was judged, now or when the day was decided before: those without a finding now lose their occurrence of the day. */
export function judgedOf({ clientId, day, planned, mode, pairs, raised, countriesBefore, raisedBefore }: StoredDecision): Judged[] {
  const detectorId = planned.detector.meta.id;
  const { windowStart } = window(day);
  const enabled = mode === 'ENABLED';
  const judgedCountries = enabled ? pairs.filter(({ verdict }) => verdict !== 'ABSTAINED').map(({ country }) => country) : [];
  const abstained = new Set(pairs.filter(({ verdict }) => verdict === 'ABSTAINED').map(({ country }) => country));
  const countries = [...new Set([...judgedCountries, ...countriesBefore.filter((country) => !abstained.has(country))])];
  const simIds = [...new Set([...raised.map(({ simId }) => simId), ...raisedBefore])];
  const kind = planned.detector.meta.kinds[0]!.id;
  return [
    {
      detectorId,
      kind: CLIENT_KIND,
      subject: 'CLIENT' as const,
      windowStart,
      subjectIds: countries.map((country) => clientInCountry(clientId, country)),
    },
    { detectorId, kind, subject: 'SIM' as const, windowStart, subjectIds: simIds },
  ].filter(({ subjectIds }) => subjectIds.length > 0);
}
