/**
 * In which country a network stands, from the public list of MCC and MNC. Of codes that several countries share, the one that the MCC is assigned to
 * counts: 310-410 serves the Virgin Islands too, but a SIM in it is in the US. ZZ: global networks (MCC 901), unknown ones, and what still can't be told.
 */
import { all } from 'mcc-mnc-list';
import { plmnText } from '../../telemetry';

/** No country of its own. ISO 3166-1 leaves ZZ to users. */
export const NO_COUNTRY = 'ZZ';

/** How the list writes networks of several territories, and the territory that most of their subscribers live in. */
const territories: Readonly<Record<string, string>> = {
  'AU/CC/CX': 'AU',
  'BL/GF/GP/MF/MQ': 'GP',
  'BQ/CW/SX': 'CW',
  'YT/RE': 'RE',
  'GE-AB': 'GE',
};

/** Bounds the memory of answers: there are more codes than networks, and hostile input may name them all. */
const MOST_REMEMBERED = 50_000;

const countriesOfNetwork = new Map<string, Set<string>>();
const networksOfMcc = new Map<string, Map<string, number>>();

for (const { mcc, mnc, countryCode } of all()) {
  const country = territories[countryCode] ?? countryCode;
  if (mcc === '901' || !/^\d{3}$/.test(mcc) || !/^[A-Z]{2}$/.test(country)) continue;
  const networks = networksOfMcc.get(mcc) ?? new Map<string, number>();
  networks.set(country, (networks.get(country) ?? 0) + 1);
  networksOfMcc.set(mcc, networks);
  const network = `${mcc}-${mnc}`;
  countriesOfNetwork.set(network, (countriesOfNetwork.get(network) ?? new Set()).add(country));
}

/** The country that has most of the MCC's networks. */
const countryOfMcc = new Map(
  [...networksOfMcc].map(([mcc, countries]) => [
    mcc,
    [...countries].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))[0]![0],
  ]),
);

const remembered = new Map<number, string>();

/** ISO 3166-1 alpha-2 for a network's code as dialogues are stored with it; 0 or null: unknown network. */
export function countryOfPlmn(plmn: number | null): string {
  if (plmn === null || plmn === 0) return NO_COUNTRY;
  let country = remembered.get(plmn);
  if (country === undefined) {
    country = countryOfText(plmnText(plmn));
    if (remembered.size < MOST_REMEMBERED) remembered.set(plmn, country);
  }
  return country;
}

function countryOfText(network: string): string {
  const main = countryOfMcc.get(network.slice(0, 3)) ?? NO_COUNTRY;
  const candidates = countriesOfNetwork.get(network);
  if (candidates === undefined || candidates.has(main)) return main;
  return candidates.size === 1 ? [...candidates][0]! : NO_COUNTRY;
}
