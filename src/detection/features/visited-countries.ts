/** Where each SIM was: the country with most of its day's dialogues; of two with as many, the one of the latest dialogue. */
import { countryOfPlmn, NO_COUNTRY } from '../../telemetry/plmn-country';
import { WORDS } from './packed-dialogues';
import type { SortedDialogues } from './sorted-dialogues';

/** ISO 3166-1 alpha-2 per SIM. Dialogues of an unknown network count only where the SIM has no others. */
export function visitedCountries({ words, offsets }: SortedDialogues): string[] {
  const countryOfNetwork = new Map<number, string>();
  const countryOf = (network: number): string => {
    let country = countryOfNetwork.get(network);
    if (country === undefined) countryOfNetwork.set(network, (country = countryOfPlmn(network - 1)));
    return country;
  };
  const countries: string[] = [];
  for (let sim = 0; sim + 1 < offsets.length; sim++) {
    const only = onlyNetwork(words, offsets[sim]! * WORDS, offsets[sim + 1]! * WORDS);
    countries.push(
      only === 0
        ? NO_COUNTRY
        : only > 0
          ? countryOf(only)
          : mostVisited(words, offsets[sim]! * WORDS, offsets[sim + 1]! * WORDS, countryOf),
    );
  }
  return countries;
}

/** PLMN + 1 where all dialogues with a known one have the same, 0 where none has one, −1 where they differ. */
function onlyNetwork(words: Int32Array, from: number, to: number): number {
  let only = 0;
  for (let at = from; at < to; at += WORDS) {
    const network = words[at + 1]! >> 7;
    if (network === 0 || network === only) continue;
    if (only !== 0) return -1;
    only = network;
  }
  return only;
}

function mostVisited(words: Int32Array, from: number, to: number, countryOf: (network: number) => string): string {
  const visits = new Map<string, { count: number; last: number }>();
  for (let at = from; at < to; at += WORDS) {
    const network = words[at + 1]! >> 7;
    if (network === 0 || isRepeat(words, at, from)) continue;
    const country = countryOf(network);
    const visit = visits.get(country);
    if (visit) {
      visit.count += 1;
      visit.last = at;
    } else visits.set(country, { count: 1, last: at });
  }
  return [...visits].reduce((most, next) =>
    next[1].count > most[1].count || (next[1].count === most[1].count && next[1].last > most[1].last) ? next : most,
  )[0];
}

function isRepeat(words: Int32Array, at: number, from: number): boolean {
  if (at === from) return false;
  for (let word = 0; word < WORDS; word++) if (words[at + word] !== words[at + word - WORDS]) return false;
  return true;
}
