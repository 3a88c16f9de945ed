/** Which detectors a population run uses and how: the operator's configuration, as it stands when the run begins. */
import type { Detector } from '../../detector';
import type { DetectorConfiguration } from '../host/configuration';
import { effectiveOptions } from '../host/host-options';
import type { DetectorRegistry } from '../host/registry';
import type { ModelScope } from './model-file';

/** Which model scores a device: that of all, of its own cluster, or of the cluster that holds most of its client's devices in the country. */
export const populationScopes = ['GLOBAL', 'PER_CLUSTER', 'MAJOR_CLUSTER'] as const;
export type PopulationScope = (typeof populationScopes)[number];

export interface PlannedDetector {
  readonly detector: Detector;
  readonly scope: PopulationScope;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is kept of it with a run. */
export interface StoredPlan {
  readonly id: string;
  readonly version: string;
  readonly scope: PopulationScope;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The models that a scope needs. */
export function modelScopeOf(scope: PopulationScope): ModelScope {
  return scope === 'GLOBAL' ? 'GLOBAL' : 'PER_CLUSTER';
}

/** The population detectors that the operator has not disabled; options hold for all clients, since models are fitted on all. */
export function planDetectors(
  registry: DetectorRegistry,
  configuration: DetectorConfiguration,
  isOff: (detector: Detector) => boolean,
): PlannedDetector[] {
  return registry.population().flatMap((detector): PlannedDetector[] => {
    const row = configuration.clientRow(detector.meta.id);
    if (row?.mode === 'DISABLED' || isOff(detector)) return [];
    const answer = effectiveOptions(detector, { ...registry.populationOptions(detector.meta.id), ...row?.options });
    if ('errors' in answer) throw new Error(`the stored options of ${detector.meta.id} are not valid: ${answer.errors.join('; ')}`);
    return [{ detector, scope: answer.options.modelScope, options: answer.options.detector }];
  });
}

export function storedPlan(plan: readonly PlannedDetector[]): StoredPlan[] {
  return plan.map(({ detector, scope, options }) => ({ id: detector.meta.id, version: detector.meta.version, scope, options }));
}
