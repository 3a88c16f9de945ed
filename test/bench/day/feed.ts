/** The files of a population at the paper's proportions: its inventory, and the dialogues of a day in the order of time. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { dialogueCsv, inventoryLines, type SignalingPopulation } from '../../../seeds/signaling';

const NEWLINE = 10;

/** Answers the rows. */
export async function writeInventory(file: string, population: SignalingPopulation): Promise<number> {
  const out = createWriteStream(file);
  out.write('iccid,imsi,msisdn,client,fleet,family,imei,criticality\n');
  for (const lines of inventoryLines(population, population.clients)) await write(out, lines);
  out.end();
  await once(out, 'finish');
  return population.sims;
}

/** Answers the rows. */
export async function writeDialogues(file: string, population: SignalingPopulation, day: number): Promise<number> {
  const out = createWriteStream(file);
  let lines = 0;
  for (const block of dialogueCsv(population, day)) {
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) lines += 1;
    await write(out, Buffer.from(block));
  }
  out.end();
  await once(out, 'finish');
  return lines - 1;
}

async function write(out: WriteStream, piece: string | Buffer): Promise<void> {
  if (!out.write(piece)) await once(out, 'drain');
}
