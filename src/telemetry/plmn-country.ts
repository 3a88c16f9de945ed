/** The country of a visited network, by ITU-T E.212: from its PLMN, else from its MCC; none where either stands for several or for no country. */
import { all as listNetworks } from 'mcc-mnc-list';
import { plmnCode } from './dialogue-codes';

/** MCC 901, unknown networks, and codes that several countries share: no country. */
export const NO_COUNTRY = 'ZZ';

const COUNTRY = /^[A-Z]{2}$/;

interface Countries {
  readonly byPlmn: ReadonlyMap<number, string>;
  readonly byMcc: ReadonlyMap<number, string>;
}

let known: Countries | undefined;

/** ISO 3166-1 alpha-2 of a network's code as dialogues store it; `NO_COUNTRY` for none. */
export function countryOfPlmn(code: number | null): string {
  if (code === null) return NO_COUNTRY;
  known ??= readList();
  return known.byPlmn.get(code) ?? known.byMcc.get(Math.floor(code / 2000)) ?? NO_COUNTRY;
}

function readList(): Countries {
  const byPlmn = new Map<number, string>();
  const byMcc = new Map<number, string>();
  for (const { mcc, mnc, countryCode } of listNetworks()) {
    // Parts of a country are listed as GE-AB, shared codes as BL/GF/GP: neither says which country.
    const country = countryCode !== null && COUNTRY.test(countryCode) ? countryCode : NO_COUNTRY;
    if (/^\d{3}$/.test(mcc)) note(byMcc, Number(mcc), country);
    if (/^\d{3}$/.test(mcc) && mnc !== null && /^\d{2,3}$/.test(mnc)) note(byPlmn, plmnCode(`${mcc}-${mnc}`), country);
  }
  return { byPlmn, byMcc };
}

/** A code that was listed under another country before belongs to none. */
function note(countries: Map<number, string>, code: number, country: string): void {
  countries.set(code, (countries.get(code) ?? country) === country ? country : NO_COUNTRY);
}
