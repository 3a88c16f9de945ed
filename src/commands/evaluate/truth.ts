/** The truth about a directory: what its truth.json says, of the SIMs and days that it has. */
import { daysFrom, type Day } from '../../detection/days';
import type { Inventory } from './inventory';
import { named, type PopulationDays, type TrueIncident } from './population-days';
import { readTruthFile, type Story } from './truth-file';

export async function readTruth(
  file: string,
  inventory: Inventory,
  days: readonly Day[],
): Promise<Pick<PopulationDays, 'incidents' | 'controls' | 'warnings'>> {
  const { stories, controls } = await readTruthFile(file);
  const warnings: string[] = [];
  const incidents = stories.flatMap((story) => incidentsOf(story, inventory, daysOf(story, days), warnings));
  const unknown = controls.filter((control) => !inventory.hasClient(control));
  if (unknown.length > 0) warnings.push(`controls that are not clients in sims.csv are passed over: ${named(unknown)}`);
  return { incidents, controls: [...new Set(controls)].filter((control) => inventory.hasClient(control)), warnings };
}

/** One of each client whose SIMs it names: SIMs say for certain whose they are, whatever the truth calls the client. */
function incidentsOf(
  { name, kind, client, country, sims }: Story,
  inventory: Inventory,
  days: readonly Day[],
  warnings: string[],
): TrueIncident[] {
  const passOver = (why: string): TrueIncident[] => {
    warnings.push(`${name} is passed over: ${why}`);
    return [];
  };
  const known = (sims ?? []).map((sim) => inventory.sim(sim)).filter((sim) => sim !== undefined);
  if (sims === null || known.length === 0) {
    const noSims = sims === null ? 'it lists no SIMs' : `none of its ${sims.length} SIMs is in sims.csv`;
    if (client === null) return passOver(`it names no client, and ${noSims}`);
    if (!inventory.hasClient(client)) return passOver(`there is no client "${client}" in sims.csv, and ${noSims}`);
    if (sims !== null) warnings.push(`${name}: ${noSims}; those of its client${country === null ? '' : ` in ${country}`} are meant`);
    return [{ kind, client, country, days, simIds: null }];
  }
  if (known.length < sims.length) warnings.push(`${name}: ${sims.length - known.length} of its ${sims.length} SIMs are not in sims.csv`);
  const simsOfClient = new Map<number, Set<string>>();
  for (const sim of known) {
    const own = simsOfClient.get(inventory.clientOf(sim)) ?? new Set<string>();
    simsOfClient.set(inventory.clientOf(sim), own.add(String(sim)));
  }
  return [...simsOfClient].map(([number, simIds]) => ({ kind, client: inventory.clients[number]!, country: null, days, simIds }));
}

/** Its days by name, else those that it touches. */
function daysOf({ days, from, to }: Story, all: readonly Day[]): Day[] {
  if (days !== null) return all.filter((day) => days.includes(day));
  const touched = new Set(daysFrom(from ?? all[0]!, to ?? all.at(-1)!));
  return all.filter((day) => touched.has(day));
}
