/** Dialogues for tests: SIMs with IMSIs, and lines that say the same for the same number. */
import { NOW, send, type House } from './house';

export const DIALOGUE_HEADER =
  'imsi,started_at,duration_ms,protocol,procedure,origin,outcome,result_code,visited_plmn,node,cancellation_type,format_violation\n';

/** IMSI of SIM n: 214-07 and twelve digits … all of 15. */
export function imsiOf(n: number): string {
  return `21407${String(n).padStart(10, '0')}`;
}

/** Registers SIMs `from` … with IMSIs, for a client. */
export async function registerImsis(house: House, client: string, from: number, count: number): Promise<number> {
  const rows = Array.from(
    { length: count },
    (_, i) => `8934${String(from + i).padStart(15, '0')},${imsiOf(from + i)},${client},meters,meter\n`,
  );
  const answer = await send(house, 'sims', `iccid,imsi,client,fleet,family\n${rows.join('')}`);
  if (answer.rejected > 0 || answer.stoppedBy) throw new Error(JSON.stringify(answer));
  return house.database.transaction({ name: 'test', role: 'operator' }, async (tx) => {
    const [row] = await tx.query<{ client_id: number }>('SELECT client_id FROM client WHERE name = $1', [client]);
    return row!.client_id;
  });
}

const PROCEDURES = ['SAI', 'UL', 'UL_GPRS', 'CL', 'PURGE', 'NOTIFY'];
const OUTCOMES = ['SUCCESS', 'SUCCESS', 'SUCCESS', 'REJECT', 'ERROR', 'TIMEOUT'];

/** Dialogue n of the last hours before NOW. */
export function dialogueLine(n: number, sims: number, firstSim = 1): string {
  const diameter = n % 3 === 0;
  const procedure = PROCEDURES[n % 6]!;
  const outcome = OUTCOMES[(n * 5) % 6]!;
  const at = NOW.getTime() - 60_000 - ((n * 7919) % 20_000_000);
  return [
    imsiOf(firstSim + (n % sims)),
    n % 2 === 0 ? new Date(at).toISOString() : at,
    n % 11 === 0 ? '' : n % 6000,
    diameter ? 'DIAMETER' : 'MAP',
    procedure,
    diameter ? 'MME' : ['VLR', 'SGSN', 'HOME'][n % 3]!,
    outcome,
    outcome === 'SUCCESS' ? '' : diameter ? 5004 : 8,
    n % 13 === 0 ? '' : n % 2 === 0 ? '214-07' : '310410',
    n % 17 === 0 ? '' : `vlr-${n % 29}.example`,
    procedure === 'CL' ? 'UPDATE_PROCEDURE' : '',
    n % 50 === 0 ? 'true' : '',
  ].join(',');
}

export function dialogueFile(from: number, to: number, sims: number): string {
  let file = DIALOGUE_HEADER;
  for (let n = from; n < to; n++) file += `${dialogueLine(n, sims)}\n`;
  return file;
}
