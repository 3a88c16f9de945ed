/** What result codes mean: MAP's errors (3GPP TS 29.002) and Diameter's results (RFC 6733, 3GPP TS 29.272), two number spaces. */
import type { Protocol } from '../dialogue-codes';

const MEANINGS: Readonly<Record<Protocol, Readonly<Record<number, string>>>> = {
  MAP: {
    1: 'unknownSubscriber',
    5: 'unidentifiedSubscriber',
    7: 'unknownEquipment',
    8: 'roamingNotAllowed',
    9: 'illegalSubscriber',
    12: 'illegalEquipment',
    21: 'facilityNotSupported',
    27: 'absentSubscriber',
    34: 'systemFailure',
    35: 'dataMissing',
    36: 'unexpectedDataValue',
    51: 'resourceLimitation',
  },
  DIAMETER: {
    2001: 'DIAMETER_SUCCESS',
    3002: 'DIAMETER_UNABLE_TO_DELIVER',
    4181: 'DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE',
    5001: 'DIAMETER_ERROR_USER_UNKNOWN',
    5004: 'DIAMETER_ERROR_ROAMING_NOT_ALLOWED',
    5012: 'DIAMETER_UNABLE_TO_COMPLY',
    5420: 'DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION',
    5421: 'DIAMETER_ERROR_RAT_NOT_ALLOWED',
  },
};

/** null: no code, or one that isn't known here. */
export function resultMeaning(protocol: Protocol, code: number | null): string | null {
  return code === null ? null : (MEANINGS[protocol][code] ?? null);
}
