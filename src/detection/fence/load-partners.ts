/** Loads the detectors that the configuration names, each behind its fence. One that can't be trusted to load stops the start: it fails closed. */
import { checkDeclaration } from '../../detector/testing';
import type { Detector } from '../../detector';
import { SimwardenError } from '../../errors';
import { fencedDetector } from './fenced-detector';
import { Fence } from './fence';
import { findPartnerPackage } from './partner-package';

export interface PartnerSettings {
  /** Package names, or paths. */
  readonly detectors: readonly string[];
  /** '1': the operator says that the code was reviewed. */
  readonly allowPartnerCode: '0' | '1';
  /** Resident memory that one detector's process may hold. */
  readonly partnerMemoryMegabytes: number;
}

export interface Partners {
  readonly detectors: readonly Detector[];
  close(): Promise<void>;
}

export async function loadPartners(settings: PartnerSettings, workingDirectory = process.cwd()): Promise<Partners> {
  if (settings.detectors.length > 0 && settings.allowPartnerCode !== '1')
    throw new SimwardenError('PARTNER_CODE_REFUSED', { given: settings.detectors.join(', ') });
  const fences: Fence[] = [];
  const close = async (): Promise<void> => void (await Promise.all(fences.map((each) => each.close())));
  try {
    const detectors: Detector[] = [];
    for (const given of settings.detectors) detectors.push(await loadOne(given, settings.partnerMemoryMegabytes, workingDirectory, fences));
    return { detectors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function loadOne(given: string, memoryMegabytes: number, workingDirectory: string, fences: Fence[]): Promise<Detector> {
  try {
    const fence = new Fence(findPartnerPackage(given, workingDirectory), memoryMegabytes);
    fences.push(fence);
    const loaded = await fence.load();
    if (typeof loaded.meta !== 'object' || loaded.meta === null) throw new Error('its meta is no object: make it with defineDetector');
    const detector = fencedDetector(fence, loaded);
    const mistakes = await checkDeclaration(detector);
    if (mistakes.length > 0) throw new Error(mistakes.join('; '));
    if (loaded.meta.scope !== 'client')
      throw new Error("its scope is the population, which sees every client's SIMs: declare scope: 'client'");
    return detector;
  } catch (error) {
    throw new SimwardenError('DETECTOR_REFUSED', { detector: `"${given}"`, what: (error as Error).message });
  }
}
