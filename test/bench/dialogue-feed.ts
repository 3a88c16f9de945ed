/** A feed of dialogues for benches: one day of SIMs of five clients in twelve countries, in the order of time, the same for the same numbers. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

const CLIENTS = 5;
const NETWORKS = Array.from({ length: 36 }, (_, i) => `${202 + Math.floor(i / 3) * 4}-0${1 + (i % 3)}`);
const MOST_LINES = 5000;
export const FEED_HEADER =
  'imsi,started_at,duration_ms,protocol,procedure,origin,outcome,result_code,visited_plmn,node,cancellation_type,format_violation\n';

export interface Feed {
  readonly sims: number;
  readonly rows: number;
  /** UTC day, YYYY-MM-DD. */
  readonly day: string;
}

/** The inventory that the feed's SIMs are registered by. */
export function feedInventory({ sims }: Pick<Feed, 'sims'>): string {
  let csv = 'iccid,imsi,client,fleet,family\n';
  for (let sim = 0; sim < sims; sim++) csv += `8934${String(sim).padStart(15, '0')},${imsiOf(sim)},Client ${sim % CLIENTS},fleet,meter\n`;
  return csv;
}

/** `repeat`: each line stands so many times in the file, its copies spread over it. */
export async function writeFeed(file: string, feed: Feed, repeat = 1): Promise<void> {
  const out = createWriteStream(file);
  out.write(FEED_HEADER);
  for (let copy = 0; copy < repeat; copy++) {
    for (let row = 0; row < feed.rows; row += MOST_LINES) {
      let lines = '';
      for (let n = row; n < Math.min(row + MOST_LINES, feed.rows); n++) lines += lineOf(n, feed);
      if (!out.write(lines)) await once(out, 'drain');
    }
  }
  out.end();
  await once(out, 'finish');
}

function imsiOf(sim: number): string {
  return `21407${String(sim).padStart(10, '0')}`;
}

function lineOf(n: number, { sims, rows, day }: Feed): string {
  const dice = Math.imul(n + 1, 0x9e3779b1) >>> 0;
  const sim = dice % sims;
  const at = new Date(Date.parse(day) + Math.floor((n / rows) * 86_400_000)).toISOString();
  const network = NETWORKS[sim % NETWORKS.length]!;
  const diameter = sim % 3 === 0;
  const procedure = ['SAI', 'SAI', 'UL', diameter ? 'UL' : 'UL_GPRS', 'CL'][(dice >>> 8) % 5]!;
  const bad = (dice >>> 13) % 10 === 0;
  const origin = procedure === 'CL' ? 'HOME' : diameter ? 'MME' : (dice >>> 5) % 2 === 0 ? 'VLR' : 'SGSN';
  return (
    `${imsiOf(sim)},${at},${80 + ((dice >>> 3) % 900)},${diameter ? 'DIAMETER' : 'MAP'},${procedure},${origin},${bad ? 'REJECT' : 'SUCCESS'},` +
    `${bad ? (diameter ? 5004 : 8) : ''},${network},node-${network}-${(dice >>> 6) % 4},${procedure === 'CL' ? 'UPDATE_PROCEDURE' : ''},\n`
  );
}
