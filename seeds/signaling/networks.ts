/** Where simulated devices roam: countries, their operators by real MCC-MNC, and the core network elements that send the dialogues. */
import { plmnCode } from '../../src/telemetry/dialogue-codes';

export interface Country {
  /** ISO 3166-1 alpha-2. */
  readonly code: string;
  readonly utcOffsetHours: number;
  readonly callingCode: string;
  /** How much longer a dialogue takes than from next door to the home network. */
  readonly distance: number;
  /** MCC-MNC of its operators, the one with most of the devices first. */
  readonly plmns: readonly string[];
}

function country(code: string, utcOffsetHours: number, callingCode: string, distance: number, ...plmns: string[]): Country {
  return { code, utcOffsetHours, callingCode, distance, plmns };
}

/** Only networks of one country: some MCC-MNC pairs (310-410, 310-260) belong to several. The paper's countries first; its platform serves mostly Europe, Central and South America. */
export const countries: readonly Country[] = [
  country('ES', 1, '34', 1, '214-07', '214-01', '214-03'),
  country('AR', -3, '54', 1.9, '722-310', '722-070', '722-341'),
  country('IN', 5.5, '91', 1.8, '404-45', '404-20', '404-34'),
  country('DE', 1, '49', 1, '262-01', '262-02', '262-03'),
  country('SV', -6, '503', 1.8, '706-01', '706-03', '706-04'),
  country('US', -6, '1', 1.5, '310-030', '310-160', '311-480'),
  country('MX', -6, '52', 1.7, '334-020', '334-050'),
  country('BR', -3, '55', 1.8, '724-06', '724-05', '724-04'),
  country('GB', 0, '44', 1, '234-30', '234-10', '234-15', '234-20'),
  country('FR', 1, '33', 1, '208-01', '208-10', '208-20', '208-15'),
  country('IT', 1, '39', 1, '222-01', '222-10', '222-88'),
  country('CO', -5, '57', 1.7, '732-101', '732-123', '732-103'),
  country('CL', -4, '56', 1.9, '730-01', '730-02', '730-03'),
  country('PE', -5, '51', 1.8, '716-06', '716-10', '716-17'),
  country('EC', -5, '593', 1.8, '740-00', '740-01'),
  country('PT', 0, '351', 1, '268-06', '268-01', '268-03'),
  country('NL', 1, '31', 1, '204-08', '204-04', '204-16'),
  country('PL', 1, '48', 1.1, '260-01', '260-02', '260-03', '260-06'),
  country('SA', 3, '966', 1.4, '420-01', '420-03', '420-04'),
];

/** The core element that asks in each domain, in the order of its origin code: circuit-switched, packet-switched, LTE. */
export type Domain = 0 | 1 | 2;
export const CIRCUIT: Domain = 0;
export const PACKET: Domain = 1;
export const LTE: Domain = 2;

const ELEMENTS = [8, 6, 10] as const;
const FIRST_ELEMENT = [0, 8, 14] as const;
const ELEMENTS_OF_OPERATOR = 24;

export interface NetworkNode {
  readonly name: string;
  readonly plmn: string;
  readonly plmnCode: number;
}

/** By node ordinal; 0 is the node that the hub didn't name. */
export const nodes: readonly NetworkNode[] = [{ name: '', plmn: '', plmnCode: 0 }, ...countries.flatMap(nodesOfCountry)];

/** Ordinal of each country's first operator, over all countries. */
const firstOperators: readonly number[] = countries.map((_, place) =>
  countries.slice(0, place).reduce((sum, before) => sum + before.plmns.length, 0),
);

export function countryPlace(code: string): number {
  return countries.findIndex((candidate) => candidate.code === code);
}

/** An element of a domain; `operator` and `element` count from 0 and go round. */
export function nodeOrdinal(country: number, operator: number, domain: Domain, element: number): number {
  const place = firstOperators[country]! + (operator % countries[country]!.plmns.length);
  return 1 + place * ELEMENTS_OF_OPERATOR + FIRST_ELEMENT[domain] + (element % ELEMENTS[domain]);
}

export function operatorCount(country: number): number {
  return countries[country]!.plmns.length;
}

export function elementCount(domain: Domain): number {
  return ELEMENTS[domain];
}

function nodesOfCountry(place: Country): NetworkNode[] {
  return place.plmns.flatMap((plmn, operator) => {
    const names = [
      ...globalTitles(place, operator, 'VLR'),
      ...globalTitles(place, operator, 'SGSN'),
      ...Array.from({ length: ELEMENTS[LTE] }, (_, element) => mmeName(plmn, element)),
    ];
    return names.map((name) => ({ name, plmn, plmnCode: plmnCode(plmn) }));
  });
}

/** MAP elements go by their E.164 global title in SCCP addresses (ITU-T Q.713). */
function globalTitles(place: Country, operator: number, kind: 'VLR' | 'SGSN'): string[] {
  const count = kind === 'VLR' ? ELEMENTS[CIRCUIT] : ELEMENTS[PACKET];
  return Array.from({ length: count }, (_, element) => {
    const block = kind === 'VLR' ? 10 : 60;
    return `${place.callingCode}6${operator + 1}900${String(block + element).padStart(3, '0')}`;
  });
}

/** Diameter elements go by host names of 3GPP TS 23.003 §19.4.2.4. */
function mmeName(plmn: string, element: number): string {
  const [mcc, mnc] = plmn.split('-') as [string, string];
  const code = (0x10 + element).toString(16).padStart(2, '0');
  return `mmec${code}.mmegi8001.mme.epc.mnc${mnc.padStart(3, '0')}.mcc${mcc}.3gppnetwork.org`;
}
