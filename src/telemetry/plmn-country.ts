/**
 * The country of a visited network, by ITU-T E.212. Of codes that several countries share, the one that the MCC is assigned to counts: 310-410 serves
 * the Virgin Islands too, but a SIM in it is in the US. MCC 901, unknown networks, and what still can't be told: no country.
 */
import { all as listNetworks } from 'mcc-mnc-list';
import { plmnCode } from './dialogue-codes';

/** No country of its own; ISO 3166-1 leaves ZZ to users. */
export const NO_COUNTRY = 'ZZ';

/** How the list writes networks of several territories, and the one that most of their subscribers live in. */
const territories: Readonly<Record<string, string>> = {
  'AU/CC/CX': 'AU',
  'BL/GF/GP/MF/MQ': 'GP',
  'BQ/CW/SX': 'CW',
  'GE-AB': 'GE',
  'YT/RE': 'RE',
};

interface Countries {
  readonly byPlmn: ReadonlyMap<number, ReadonlySet<string>>;
  /** The country that has most of the MCC's networks. */
  readonly byMcc: ReadonlyMap<number, string>;
}

let known: Countries | undefined;

/** ISO 3166-1 alpha-2 of a network's code as dialogues store it; `NO_COUNTRY` for none. */
export function countryOfPlmn(code: number | null): string {
  if (code === null) return NO_COUNTRY;
  known ??= readList();
  const main = known.byMcc.get(Math.floor(code / 2000)) ?? NO_COUNTRY;
  const candidates = known.byPlmn.get(code);
  if (candidates === undefined || candidates.has(main)) return main;
  return candidates.size === 1 ? [...candidates][0]! : NO_COUNTRY;
}

function readList(): Countries {
  const byPlmn = new Map<number, Set<string>>();
  const networksOf = new Map<number, Map<string, number>>();
  for (const { mcc, mnc, countryCode } of listNetworks()) {
    const country = countryCode === null ? '' : (territories[countryCode] ?? countryCode);
    if (mcc === '901' || !/^\d{3}$/.test(mcc) || !/^[A-Z]{2}$/.test(country)) continue;
    const networks = networksOf.get(Number(mcc)) ?? new Map<string, number>();
    networksOf.set(Number(mcc), networks.set(country, (networks.get(country) ?? 0) + 1));
    if (mnc === null || !/^\d{2,3}$/.test(mnc)) continue;
    const code = plmnCode(`${mcc}-${mnc}`);
    byPlmn.set(code, (byPlmn.get(code) ?? new Set<string>()).add(country));
  }
  const byMcc = new Map([...networksOf].map(([mcc, countries]) => [mcc, largest(countries)]));
  return { byPlmn, byMcc };
}

function largest(countries: ReadonlyMap<string, number>): string {
  return [...countries].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))[0]![0];
}
