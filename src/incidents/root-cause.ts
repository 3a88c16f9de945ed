/**
 * What probably caused an incident, from the kinds of its alerts: the guide's procedure (a changed IMEI is a stolen SIM; the same IMEI with excess
 * traffic, reboots, TLS errors and retries is a firmware bug; traffic to unusual destinations is malware) as one table. The first rule that fits speaks.
 * It is a proposal with its reasons; the verdict is an operator's.
 */

export enum RootCause {
  STOLEN_SIM = 'STOLEN_SIM',
  FIRMWARE_BUG = 'FIRMWARE_BUG',
  MALWARE = 'MALWARE',
  NETWORK_ISSUE = 'NETWORK_ISSUE',
  PLATFORM_ISSUE = 'PLATFORM_ISSUE',
  ROAMING_AGREEMENT = 'ROAMING_AGREEMENT',
  COVERAGE = 'COVERAGE',
  CONFIGURATION = 'CONFIGURATION',
  LEGITIMATE = 'LEGITIMATE',
  UNKNOWN = 'UNKNOWN',
}

interface Rule {
  readonly cause: RootCause;
  /** At least one of these kinds is there… */
  readonly anyOf: readonly string[];
  /** …and, where given, at least one of these too… */
  readonly andAnyOf?: readonly string[];
  /** …and none of these. */
  readonly noneOf?: readonly string[];
  /** Kinds that speak for it besides, where they are there. */
  readonly supportedBy?: readonly string[];
  readonly because: string;
}

const otherDevice = ['IMEI_CHANGED', 'TAC_CHANGED'];
const excessTraffic = [
  'DAILY_LIMIT',
  'MONTHLY_LIMIT',
  'FLEET_DAILY_TOTAL',
  'FLEET_MONTHLY_TOTAL',
  'CLIENT_DAILY_TOTAL',
  'CLIENT_MONTHLY_TOTAL',
  'DAILY_OUTLIER',
  'WEEKLY_OUTLIER',
  'PERSISTENT_OUTLIER',
];
const otherNetwork = ['NETWORK_NOT_ALLOWED', 'UNUSUAL_NETWORK'];
const silence = ['SILENT_SIM', 'NEVER_SEEN', 'DAILY_DROP', 'SIM_DETACHED'];

export const rootCauseRules: readonly Rule[] = [
  {
    cause: RootCause.STOLEN_SIM,
    anyOf: otherDevice,
    supportedBy: [...excessTraffic, ...otherNetwork, 'UNUSUAL_DESTINATION', 'SIM_DETACHED'],
    because: 'The SIM is in another device than the one it is bound to.',
  },
  {
    cause: RootCause.MALWARE,
    anyOf: ['UNUSUAL_DESTINATION'],
    supportedBy: excessTraffic,
    because: 'The same device sends to destinations that devices like it do not use.',
  },
  {
    cause: RootCause.FIRMWARE_BUG,
    anyOf: ['DEVICE_EVENT_STORM'],
    supportedBy: [...excessTraffic, 'SOFTWARE_VERSION_CHANGED'],
    because: 'The same device reports reboots, errors or retries without end.',
  },
  {
    cause: RootCause.FIRMWARE_BUG,
    anyOf: ['SOFTWARE_VERSION_CHANGED'],
    andAnyOf: excessTraffic,
    because: 'Its traffic grew after the same device changed its software version.',
  },
  {
    cause: RootCause.ROAMING_AGREEMENT,
    anyOf: ['NETWORK_ROAMING_FAILURE'],
    because: "Many SIMs of the client can't attach in one network, and none of them gets in.",
  },
  {
    cause: RootCause.PLATFORM_ISSUE,
    anyOf: ['PLATFORM_MAP_SUCCESS_LOW', 'PLATFORM_VOICE_SMS_HIT', 'PLATFORM_DATA_HIT'],
    because: 'Clients and countries that have nothing in common but the platform are hit together.',
  },
  {
    cause: RootCause.NETWORK_ISSUE,
    anyOf: ['MAP_SUCCESS_LOW', 'VOICE_SMS_HIT', 'DATA_HIT'],
    because: "Many of the client's SIMs in one country lost a service at once.",
  },
  {
    cause: RootCause.COVERAGE,
    anyOf: ['AGGRESSIVE_DEVICE', 'RETRY_STORM'],
    noneOf: [...otherDevice, 'DEVICE_EVENT_STORM'],
    because: 'The device looks for a network again and again and keeps none.',
  },
  {
    cause: RootCause.CONFIGURATION,
    anyOf: ['BLOCK_CAUSES_STORM'],
    because: 'The block is of a kind that makes this modem retry.',
  },
  {
    cause: RootCause.STOLEN_SIM,
    anyOf: otherNetwork,
    andAnyOf: excessTraffic,
    because: 'The SIM uses far more data than before, in a network where it should not be.',
  },
  {
    cause: RootCause.CONFIGURATION,
    anyOf: ['NETWORK_NOT_ALLOWED'],
    noneOf: [...excessTraffic, ...silence],
    because: 'The SIM works as ever but in a network that is not on its list: the list or the network selection is wrong.',
  },
  {
    cause: RootCause.NETWORK_ISSUE,
    anyOf: ['SIM_CANNOT_ATTACH'],
    supportedBy: silence,
    because: 'The network refuses the SIM each time it tries.',
  },
  {
    cause: RootCause.COVERAGE,
    anyOf: ['SIM_DETACHED'],
    andAnyOf: ['SILENT_SIM', 'DAILY_DROP'],
    because: 'The SIM left the network and has sent nothing since.',
  },
];

export interface AlertForCause {
  readonly alertId: string;
  readonly kind: string;
  readonly title: string;
}

export interface CauseEvidence {
  readonly alertId: string | null;
  readonly kind: string | null;
  readonly text: string;
}

export interface RootCauseProposal {
  readonly cause: RootCause;
  readonly evidence: readonly CauseEvidence[];
}

export function proposeRootCause(alerts: readonly AlertForCause[]): RootCauseProposal {
  const kinds = new Set(alerts.map(({ kind }) => kind));
  const has = (some: readonly string[]): boolean => some.some((kind) => kinds.has(kind));
  const rule = rootCauseRules.find(({ anyOf, andAnyOf, noneOf }) => has(anyOf) && (!andAnyOf || has(andAnyOf)) && !(noneOf && has(noneOf)));
  if (!rule) return { cause: RootCause.UNKNOWN, evidence: alerts.map(evidenceOf) };
  const speaking = [...rule.anyOf, ...(rule.andAnyOf ?? []), ...(rule.supportedBy ?? [])];
  return {
    cause: rule.cause,
    evidence: [{ alertId: null, kind: null, text: rule.because }, ...alerts.filter(({ kind }) => speaking.includes(kind)).map(evidenceOf)],
  };
}

/** The title says it; the numbers, which change with every record, are the alert's. */
function evidenceOf({ alertId, kind, title }: AlertForCause): CauseEvidence {
  return { alertId, kind, text: title };
}
