/** Seeded SIM-days of signaling that behave well, for authors: dialogues of a stationary device, counted into the 95 features. */
import { featureNames, type FeatureName } from '../features';
import { seededRandom } from '../numeric';
import type { FeatureRow } from './rows';

/** A healthy stationary 2G/3G device: a few attaches a day (SAI, then UL or UL_GPRS, then the CL of the old place), nearly all of them successful. */
export const quietFeatureDay: FeatureRow = dayOf({ attaches: 4, refused: 0, minutes: 900, gapSeconds: 4 });

/** The same device where a network refuses its authentication, so that it tries again all day: `refused` times. */
export function refusedAttaches(refused: number): FeatureRow {
  return dayOf({ attaches: 4, refused, minutes: 1400, gapSeconds: 4 });
}

/** One SIM-day of signaling per SIM: log-normal numbers of attaches, now and then a refused one. */
export function syntheticFeatures({ sims, seed, spread = 0.5 }: { sims: number; seed: number; spread?: number }): FeatureRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: sims }, () =>
    dayOf({
      attaches: Math.max(1, Math.round(4 * Math.exp(spread * normal(random)))),
      refused: random() < 0.05 ? 1 : 0,
      minutes: Math.round(600 + 800 * random()),
      gapSeconds: 2 + 6 * random(),
    }),
  );
}

interface Habits {
  readonly attaches: number;
  readonly refused: number;
  readonly minutes: number;
  readonly gapSeconds: number;
}

/** Each attach is SAI, UL, CL at the VLR; a refused one ends with its SAI. */
function dayOf({ attaches, refused, minutes, gapSeconds }: Habits): FeatureRow {
  const n = 3 * attaches + refused;
  const sais = attaches + refused;
  const betweenSessions = attaches < 2 ? NaN : (minutes * 60) / (attaches - 1);
  const known: Partial<Record<FeatureName, number>> = {
    n_operator_map: 1,
    n_vlr_unique: 1,
    mean_iat_in_session: gapSeconds,
    sd_iat_in_session: gapSeconds / 4,
    mean_iat_session: betweenSessions,
    sd_session_iat: attaches < 3 ? NaN : betweenSessions / 3,
    mean_session_iat_sig: gapSeconds,
    sd_session_iat_sig: attaches < 2 ? NaN : gapSeconds / 8,
    n,
    n_map_success: 3 * attaches,
    n_map_rejects: refused,
    pct_map: 100,
    pct_map_rejects: (100 * refused) / n,
    n_sai: sais,
    n_sai_success: attaches,
    n_sai_reject: refused,
    n_sai_vlr: sais,
    n_sai_success_vlr: attaches,
    n_sai_reject_vlr: refused,
    n_ul: attaches,
    n_ul_success: attaches,
    n_cl: attaches,
    n_cl_success: attaches,
    pct_map_sai_all_dialogs: (100 * sais) / n,
    pct_map_ul_all_dialogs: (100 * attaches) / n,
    pct_map_cl_all_dialogs: (100 * attaches) / n,
    pct_sai_success_all_sais: (100 * attaches) / sais,
    pct_sai_reject_all_sais: (100 * refused) / sais,
    pct_sai_success_all_dialogs: (100 * attaches) / n,
    pct_sai_reject_all_dialogs: (100 * refused) / n,
    pct_ul_success_all_uls: 100,
    pct_ul_success_all_dialogs: (100 * attaches) / n,
    pct_cl_success_all_cls: 100,
    pct_cl_success_all_dialogs: (100 * attaches) / n,
    total_activity_in_minutes: minutes,
    active_minutes: attaches + refused,
    relative_activity: (attaches + refused) / minutes,
  };
  const undefinedWithoutDiameter: ReadonlySet<string> = new Set(['pct_diam_errors', 'pct_diam_rejects']);
  const row = featureNames.map((name) => [name, known[name] ?? (undefinedWithoutDiameter.has(name) ? NaN : 0)]);
  return { ...(Object.fromEntries(row) as Record<FeatureName, number>), blockedByUs: 0 };
}

/** Standard normal by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
