/**
 * THE catalogue of the 95 signaling features of a SIM and UTC day: name, group, unit, definition and the value where there is nothing to measure.
 * The pass that computes them, the SQL that checks it, the columns of detectors and the API all read it; the order here is the order everywhere.
 *
 * Names: the published list of ANCHOR, and three of ours that complete its pattern (`n_sai_error_sgsn`, `pct_map_rejects`, `pct_diam_rejects`);
 * its `pct_cl_*_all_uls` means all CLs and is called so here. In all of them: an exact repeat of a dialogue counts once; TIMEOUT counts as error;
 * PURGE and NOTIFY count among all dialogues and those of their protocol, in no procedure. What happens in one millisecond is taken in the order of
 * node, then network, so that the order of arrival never matters.
 */

export type FeatureGroup =
  | 'mobility'
  | 'sessions'
  | 'volume'
  | 'map-sai'
  | 'diameter-sai'
  | 'map-ul'
  | 'map-ul-gprs'
  | 'diameter-ul'
  | 'map-cl'
  | 'diameter-cl'
  | 'shares'
  | 'outcomes'
  | 'activity';

export type FeatureUnit = 'networks' | 'nodes' | 'changes' | 'seconds' | 'dialogues' | 'percent' | 'minutes' | 'ratio';

export interface FeatureDescription {
  readonly group: FeatureGroup;
  readonly unit: FeatureUnit;
  /** The definition, over one UTC day of one SIM. Percentages are 0 to 100, ratios 0 to 1. */
  readonly description: string;
  /** The value where the set it measures is empty: 0 for counts, NaN for what is undefined then. */
  readonly empty: number;
}

const feature = (group: FeatureGroup, unit: FeatureUnit, description: string, empty = NaN): FeatureDescription => ({
  group,
  unit,
  description,
  empty,
});
const mobility = (unit: FeatureUnit, description: string) => feature('mobility', unit, description, 0);
const gap = (description: string) => feature('sessions', 'seconds', description);
const count = (group: FeatureGroup, description: string) => feature(group, 'dialogues', description, 0);
const share = (group: FeatureGroup, part: string, whole: string) => feature(group, 'percent', `${part} among ${whole}, 0 to 100.`);
const everything = 'all dialogues';
const sais = 'authentications (SAI) of MAP and Diameter';
const uls = 'location updates (UL, UL_GPRS and Diameter UL)';
const cls = 'location cancellations (CL) of MAP and Diameter';

const definitions = {
  n_operator_diam: mobility('networks', 'Distinct visited networks (PLMN) of Diameter dialogues.'),
  n_operator_map: mobility('networks', 'Distinct visited networks (PLMN) of MAP dialogues.'),
  n_vlr_unique: mobility('nodes', 'Distinct nodes of MAP dialogues with a VLR.'),
  n_sgsn_unique: mobility('nodes', 'Distinct nodes of MAP dialogues with an SGSN.'),
  n_operator_changes: mobility(
    'changes',
    'How often a Diameter dialogue was in another network than the one before it; unknown networks are passed over.',
  ),
  n_vlr_changes: mobility(
    'changes',
    'How often a MAP dialogue with a VLR had another node than the one before it; unknown nodes are passed over.',
  ),
  n_sgsn_changes: mobility(
    'changes',
    'How often a MAP dialogue with an SGSN had another node than the one before it; unknown nodes are passed over.',
  ),

  mean_iat_in_session: gap(
    'Mean gap between consecutive dialogues of a session. A session is a run of dialogues with gaps of at most 30 s.',
  ),
  sd_iat_in_session: gap('Sample standard deviation of the gaps between consecutive dialogues of a session; undefined under two gaps.'),
  mean_iat_session: gap('Mean gap from the last dialogue of a session to the first of the next.'),
  sd_session_iat: gap('Sample standard deviation of the gaps between sessions; undefined under two gaps.'),
  mean_session_iat_sig: gap(
    'Sessions of SAI, UL, UL_GPRS and CL alone: the mean gap inside each session of two dialogues or more, averaged over these sessions.',
  ),
  sd_session_iat_sig: gap('Sample standard deviation, over the same sessions, of the mean gap inside each; undefined under two sessions.'),

  n: count('volume', 'All dialogues.'),
  n_map_success: count('volume', 'MAP dialogues that succeeded.'),
  n_diam_success: count('volume', 'Diameter dialogues that succeeded.'),
  n_map_errors: count('volume', 'MAP dialogues that failed or timed out.'),
  n_diam_errors: count('volume', 'Diameter dialogues that failed or timed out.'),
  n_map_rejects: count('volume', 'MAP dialogues that were rejected.'),
  n_diam_rejects: count('volume', 'Diameter dialogues that were rejected.'),
  pct_map: share('volume', 'MAP dialogues', everything),
  pct_diam: share('volume', 'Diameter dialogues', everything),
  pct_map_errors: share('volume', 'Failed or timed out', 'MAP dialogues'),
  pct_diam_errors: share('volume', 'Failed or timed out', 'Diameter dialogues'),
  pct_map_rejects: share('volume', 'Rejected', 'MAP dialogues'),
  pct_diam_rejects: share('volume', 'Rejected', 'Diameter dialogues'),

  n_sai: count('map-sai', 'Authentications (SAI) over MAP.'),
  n_sai_success: count('map-sai', 'Authentications over MAP that succeeded.'),
  n_sai_error: count('map-sai', 'Authentications over MAP that failed or timed out.'),
  n_sai_reject: count('map-sai', 'Authentications over MAP that were rejected.'),
  n_sai_vlr: count('map-sai', 'Authentications over MAP from a VLR.'),
  n_sai_success_vlr: count('map-sai', 'Authentications over MAP from a VLR that succeeded.'),
  n_sai_error_vlr: count('map-sai', 'Authentications over MAP from a VLR that failed or timed out.'),
  n_sai_reject_vlr: count('map-sai', 'Authentications over MAP from a VLR that were rejected.'),
  n_sai_sgsn: count('map-sai', 'Authentications over MAP from an SGSN.'),
  n_sai_success_sgsn: count('map-sai', 'Authentications over MAP from an SGSN that succeeded.'),
  n_sai_error_sgsn: count('map-sai', 'Authentications over MAP from an SGSN that failed or timed out.'),
  n_sai_reject_sgsn: count('map-sai', 'Authentications over MAP from an SGSN that were rejected.'),

  n_diam_sai: count('diameter-sai', 'Authentications over Diameter (AIR).'),
  n_diam_sai_success: count('diameter-sai', 'Authentications over Diameter that succeeded.'),
  n_diam_sai_error: count('diameter-sai', 'Authentications over Diameter that failed or timed out.'),
  n_diam_sai_reject: count('diameter-sai', 'Authentications over Diameter that were rejected.'),

  n_ul: count('map-ul', 'Location updates over MAP (UL).'),
  n_ul_success: count('map-ul', 'Location updates over MAP that succeeded.'),
  n_ul_error: count('map-ul', 'Location updates over MAP that failed or timed out.'),
  n_ul_reject: count('map-ul', 'Location updates over MAP that were rejected.'),

  n_ul_gprs: count('map-ul-gprs', 'GPRS location updates over MAP (UL_GPRS).'),
  n_ul_gprs_success: count('map-ul-gprs', 'GPRS location updates that succeeded.'),
  n_ul_gprs_error: count('map-ul-gprs', 'GPRS location updates that failed or timed out.'),
  n_ul_gprs_reject: count('map-ul-gprs', 'GPRS location updates that were rejected.'),

  n_diam_ul: count('diameter-ul', 'Location updates over Diameter (ULR).'),
  n_diam_ul_success: count('diameter-ul', 'Location updates over Diameter that succeeded.'),
  n_diam_ul_error: count('diameter-ul', 'Location updates over Diameter that failed or timed out.'),
  n_diam_ul_reject: count('diameter-ul', 'Location updates over Diameter that were rejected.'),

  n_cl: count('map-cl', 'Location cancellations over MAP (CL).'),
  n_cl_success: count('map-cl', 'Location cancellations over MAP that succeeded.'),
  n_cl_error: count('map-cl', 'Location cancellations over MAP that failed or timed out.'),
  n_cl_vlr: count('map-cl', 'Location cancellations over MAP of origin VLR.'),
  n_cl_success_vlr: count('map-cl', 'Location cancellations over MAP of origin VLR that succeeded.'),
  n_cl_error_vlr: count('map-cl', 'Location cancellations over MAP of origin VLR that failed or timed out.'),
  n_cl_sgsn: count('map-cl', 'Location cancellations over MAP of origin SGSN.'),
  n_cl_success_sgsn: count('map-cl', 'Location cancellations over MAP of origin SGSN that succeeded.'),
  n_cl_error_sgsn: count('map-cl', 'Location cancellations over MAP of origin SGSN that failed or timed out.'),

  n_diam_cl: count('diameter-cl', 'Location cancellations over Diameter (CLR).'),
  n_diam_cl_success: count('diameter-cl', 'Location cancellations over Diameter that succeeded.'),
  n_diam_cl_error: count('diameter-cl', 'Location cancellations over Diameter that failed or timed out.'),
  n_diam_cl_reject: count('diameter-cl', 'Location cancellations over Diameter that were rejected.'),

  pct_map_sai_all_dialogs: share('shares', 'Authentications over MAP', everything),
  pct_map_ul_all_dialogs: share('shares', 'Location updates over MAP (UL)', everything),
  pct_map_ul_gprs_all_dialogs: share('shares', 'GPRS location updates', everything),
  pct_map_cl_all_dialogs: share('shares', 'Location cancellations over MAP', everything),
  pct_diam_sai_all_dialogs: share('shares', 'Authentications over Diameter', everything),
  pct_diam_ul_all_dialogs: share('shares', 'Location updates over Diameter', everything),
  pct_diam_cl_all_dialogs: share('shares', 'Location cancellations over Diameter', everything),

  pct_sai_success_all_sais: share('outcomes', 'Successes', sais),
  pct_sai_error_all_sais: share('outcomes', 'Failures and timeouts', sais),
  pct_sai_reject_all_sais: share('outcomes', 'Rejections', sais),
  pct_sai_success_all_dialogs: share('outcomes', `Successful ${sais}`, everything),
  pct_sai_error_all_dialogs: share('outcomes', `Failed or timed out ${sais}`, everything),
  pct_sai_reject_all_dialogs: share('outcomes', `Rejected ${sais}`, everything),
  pct_ul_success_all_uls: share('outcomes', 'Successes', uls),
  pct_ul_error_all_uls: share('outcomes', 'Failures and timeouts', uls),
  pct_ul_reject_all_uls: share('outcomes', 'Rejections', uls),
  pct_ul_success_all_dialogs: share('outcomes', `Successful ${uls}`, everything),
  pct_ul_error_all_dialogs: share('outcomes', `Failed or timed out ${uls}`, everything),
  pct_ul_reject_all_dialogs: share('outcomes', `Rejected ${uls}`, everything),
  pct_cl_success_all_cls: share('outcomes', 'Successes', cls),
  pct_cl_error_all_cls: share('outcomes', 'Failures and timeouts', cls),
  pct_cl_success_all_dialogs: share('outcomes', `Successful ${cls}`, everything),
  pct_cl_error_all_dialogs: share('outcomes', `Failed or timed out ${cls}`, everything),

  total_activity_in_minutes: feature(
    'activity',
    'minutes',
    'Clock minutes from the one of the first dialogue to the one of the last, both counted.',
    0,
  ),
  active_minutes: feature('activity', 'minutes', 'Distinct clock minutes with a dialogue.', 0),
  relative_activity: feature('activity', 'ratio', 'active_minutes divided by total_activity_in_minutes.'),
  active_ngn_minutes: feature('activity', 'minutes', 'Distinct clock minutes with a Diameter dialogue.', 0),
  relative_ngn_activity: feature('activity', 'ratio', 'active_ngn_minutes divided by total_activity_in_minutes.'),
} as const satisfies Record<string, FeatureDescription>;

export type FeatureName = keyof typeof definitions;

export interface Feature extends FeatureDescription {
  readonly name: FeatureName;
}

/** In the order of every feature row. */
export const featureNames = Object.keys(definitions) as readonly FeatureName[];

export const featureCatalogue: readonly Feature[] = featureNames.map((name) => ({ name, ...definitions[name] }));

/** 95: how many numbers a feature row has. */
export const FEATURE_COUNT = featureNames.length;
