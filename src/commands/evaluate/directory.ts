/** A directory of CSV files with a truth.json, from whatever generator and of whatever dates, as feature rows in memory. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Day } from '../../detection/days';
import { computeDayFeatures } from '../../detection/features/day-features';
import type { FeatureRows } from '../../detection/features/feature-store';
import { SimwardenError } from '../../errors';
import { csvRows } from './csv-rows';
import { dialogueColumns, DialogueDays, type DialogueColumn } from './dialogue-days';
import { readInventory, type Inventory } from './inventory';
import { rowsByClient, type PopulationDays } from './population-days';
import { readTruth } from './truth';

export async function directoryDays(directory: string, onRows: (rows: number) => void): Promise<PopulationDays> {
  const inventory = await readInventory(directory);
  const warnings: string[] = [];
  const dialogues = await readDialogues(directory, inventory, onRows, warnings);
  const { passedOver } = dialogues;
  const rows = featureRows(dialogues, inventory);
  if (rows.size === 0) {
    const what = `it has no dialogue of a known SIM: ${passedOver} rows are none, or of none of the ${inventory.simCount} SIMs in sims.csv`;
    throw new SimwardenError('FILE_UNREADABLE', { file: directory, what });
  }
  if (passedOver > 0) warnings.push(`${passedOver} rows passed over: not a dialogue of a SIM in sims.csv`);
  const days = [...rows.keys()];
  const truth = await readTruth(join(directory, 'truth.json'), inventory, days);
  return {
    name: directory,
    days,
    clients: inventory.clients,
    controls: truth.controls,
    incidents: truth.incidents,
    rows,
    passedOver,
    warnings: [...warnings, ...truth.warnings],
  };
}

async function readDialogues(
  directory: string,
  inventory: Inventory,
  onRows: (rows: number) => void,
  warnings: string[],
): Promise<DialogueDays> {
  const files = (await listed(directory)).filter((name) => /^dialogues.*\.csv(\.gz)?$/.test(name)).sort();
  if (files.length === 0) throw new SimwardenError('FILE_UNREADABLE', { file: directory, what: 'it has no dialogues-….csv' });
  const dialogues = new DialogueDays(inventory);
  let done = 0;
  for (const file of files) {
    let isEmpty = true;
    for await (const { places, rows } of csvRows<DialogueColumn>(join(directory, file), dialogueColumns)) {
      isEmpty = false;
      for (const row of rows) dialogues.add(row, places);
      onRows((done += rows.length));
    }
    if (isEmpty) warnings.push(`${file} is empty: not even a header`);
  }
  return dialogues;
}

function featureRows(dialogues: DialogueDays, inventory: Inventory): Map<Day, readonly FeatureRows[]> {
  const rows = new Map<Day, readonly FeatureRows[]>();
  for (const [day, packed] of dialogues.take()) {
    const simIds = [...packed.sortSims()];
    const features = computeDayFeatures({ words: packed.words, sims: packed.sims, rows: packed.rows, simCount: simIds.length });
    rows.set(
      day,
      rowsByClient(inventory.clients.length, simIds, (sim) => inventory.clientOf(sim), features),
    );
  }
  return rows;
}

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw new SimwardenError('FILE_UNREADABLE', { file: directory, what: (error as Error).message });
  }
}
