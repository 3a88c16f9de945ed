/** Populations that the simulator makes, as feature rows in memory. */
import { clientOf, packedDialogues, signalingPopulation, type SignalingOptions } from '../../../seeds/signaling';
import { addDays, dayOf, daysFrom, type Day } from '../../detection/days';
import { computeDayFeatures } from '../../detection/features/day-features';
import { firstWord, PackedDialogues, secondWord } from '../../detection/features/packed-dialogues';
import type { FeatureRows } from '../../detection/features/feature-store';
import { rowsByClient, type PopulationDays } from './population-days';

export async function simulatedDays(options: SignalingOptions, onDay: (done: number) => void): Promise<PopulationDays> {
  const population = signalingPopulation(options);
  const numberOf = new Map(population.clients.map((client, number) => [client, number]));
  const first = dayOf(population.from);
  const days = daysFrom(first, addDays(first, population.days - 1));
  const rows = new Map<Day, FeatureRows[]>();
  for (const [index, day] of days.entries()) {
    const packed = new PackedDialogues(65_536);
    const start = Date.parse(`${day}T00:00:00Z`);
    for (const block of packedDialogues(population, index, { order: 'sim' })) {
      for (let row = 0; row < block.rows; row++) {
        packed.addPacked(
          packed.simOrdinal(block.simOrdinal[row]! + 1),
          firstWord(block.startedAt[row]! - start, block.origin[row]!, block.outcome[row]!),
          secondWord(
            block.plmn[row]! === 0 ? -1 : block.plmn[row]!,
            block.protocol[row]!,
            block.procedure[row]!,
            block.cancellationType[row]!,
            block.formatViolation[row]!,
          ),
          block.nodeOrdinal[row]!,
          packed.lastWord(block.durationMs[row]!, block.resultCode[row]! === 0 ? -1 : block.resultCode[row]!),
        );
      }
    }
    const simIds = [...packed.sortSims()];
    const features = computeDayFeatures({ words: packed.words, sims: packed.sims, rows: packed.rows, simCount: simIds.length });
    rows.set(
      day,
      rowsByClient(population.clients.length, simIds, (simId) => numberOf.get(clientOf(population, simId - 1))!, features),
    );
    onDay(index + 1);
    await new Promise((next) => setImmediate(next));
  }
  return {
    name: `seed ${population.seed}`,
    days,
    clients: population.clients.map(({ name }) => name),
    controls: population.controls,
    incidents: population.incidents.map((incident) => ({
      kind: incident.kind,
      client: incident.client.name,
      days: daysFrom(dayOf(incident.from), dayOf(incident.to - 1)),
      simIds: new Set(incident.sims.map((sim) => String(sim + 1))),
      country: null,
    })),
    rows,
    passedOver: 0,
    warnings: [],
  };
}
