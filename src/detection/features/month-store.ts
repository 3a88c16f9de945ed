/** Keeps the 30-day sums of a client's SIMs in step with their stored feature rows, within the transaction that changes these. */
import type { Transaction } from '../../database/database';
import { FEATURE_COUNT } from '../../detector';
import { plainArray } from '../../telemetry/array-literal';
import { addDays, startOfDay, type Day } from '../days';
import { MONTH_DAYS, type FeatureMonth } from './feature-month';
import { copyFeatureRows } from './feature-row-reader';
import { MonthPage, PAGE_SIMS, pageOf } from './month-page';

interface PageRow {
  page: string;
  from_day: Day;
  sums: Buffer;
}

/** By their numbers. */
export type MonthPages = ReadonlyMap<number, MonthPage>;

/** After every day that there may be rows of. */
const NEVER = '9999-12-31';

/** A SIM's stored sums; null where it has none. */
export async function readMonth(tx: Transaction, clientId: number, simId: string): Promise<FeatureMonth | null> {
  const [row] = await tx.query<PageRow>('SELECT page, from_day, sums FROM sim_feature_sums WHERE client_id = $1 AND page = $2', [
    clientId,
    pageOf(Number(simId)),
  ]);
  return row ? pageIn(row).month(Number(simId)) : null;
}

/** The sums of pages, over the SIMs' stored days from `windowStart` on, or from a later one where a later day was computed. */
export async function readMonths(tx: Transaction, clientId: number, pages: readonly number[], windowStart: Day): Promise<MonthPages> {
  const rows = await tx.query<PageRow>(
    'SELECT page, from_day, sums FROM sim_feature_sums WHERE client_id = $1 AND page = ANY($2::int8[])',
    [clientId, plainArray(pages)],
  );
  const stored = new Map(rows.map((row) => [Number(row.page), pageIn(row)]));
  const missing = pages.filter((page) => !stored.has(page)).map((page) => new MonthPage(page, windowStart));
  await addUp(tx, clientId, missing);
  await advance(tx, clientId, [...stored.values()], windowStart);
  return new Map([...stored.values(), ...missing].map((page) => [page.page, page]));
}

/** Some pages whose sums still hold days before `windowStart`: they are brought up to it. Answers the last, null when there are no more. */
export async function advanceMonths(
  tx: Transaction,
  clientId: number,
  after: number,
  windowStart: Day,
  limit: number,
): Promise<number | null> {
  const rows = await tx.query<PageRow>(
    'SELECT page, from_day, sums FROM sim_feature_sums WHERE client_id = $1 AND page > $2 AND from_day < $3 ORDER BY page LIMIT $4',
    [clientId, after, windowStart, limit],
  );
  const pages = rows.map(pageIn);
  await advance(tx, clientId, pages, windowStart);
  await writeMonths(tx, clientId, pages);
  return pages.length < limit ? null : pages.at(-1)!.page;
}

/** Takes the days before the window out of sums that begin before it. */
async function advance(tx: Transaction, clientId: number, pages: readonly MonthPage[], windowStart: Day): Promise<void> {
  const behind = pages.filter(({ fromDay }) => fromDay < windowStart);
  // of a window that has left as a whole the rows may be gone too
  const anew = behind.filter(({ fromDay }) => addDays(fromDay, MONTH_DAYS) <= windowStart);
  const moving = behind.filter((page) => !anew.includes(page));
  const earliest = moving.map(({ fromDay }) => fromDay).sort()[0];
  if (earliest !== undefined) await changeAll(tx, clientId, moving, [earliest, windowStart], -1);
  for (const page of behind) page.fromDay = windowStart;
  for (const page of anew) page.clear();
  await addUp(tx, clientId, anew);
}

/** From the rows in the window of pages that begin on one day. */
async function addUp(tx: Transaction, clientId: number, pages: readonly MonthPage[]): Promise<void> {
  if (pages.length > 0) await changeAll(tx, clientId, pages, [pages[0]!.fromDay, NEVER], 1);
}

/** Adds the rows of these days, as far as each page's window reaches, or takes them out. */
async function changeAll(
  tx: Transaction,
  clientId: number,
  pages: readonly MonthPage[],
  [fromDay, beforeDay]: readonly [Day, Day],
  sign: 1 | -1,
): Promise<void> {
  const byNumber = new Map(pages.map((page) => [page.page, { page, from: startOfDay(page.fromDay) }]));
  const numbers = [...byNumber.keys()];
  const afterSim = Math.max(0, Math.min(...numbers) * PAGE_SIMS - 1);
  const throughSim = (Math.max(...numbers) + 1) * PAGE_SIMS - 1;
  const values = new Float32Array(FEATURE_COUNT);
  const where = { clientId, fromDay, beforeDay, afterSim: String(afterSim), throughSim: String(throughSim) };
  await copyFeatureRows(tx, where, (row) => {
    const own = byNumber.get(pageOf(row.simId));
    if (own === undefined || row.startOfDay < own.from) return;
    row.values(values, 0);
    own.page.change(row.simId, values, 0, sign);
  });
}

export async function writeMonths(tx: Transaction, clientId: number, pages: Iterable<MonthPage>): Promise<void> {
  const written = [...pages].sort((one, other) => one.page - other.page).map((page) => ({ page, bytes: page.write() }));
  const kept = written.filter(({ bytes }) => bytes.length > 0);
  const gone = written.filter(({ bytes }) => bytes.length === 0);
  if (gone.length > 0)
    await tx.query('DELETE FROM sim_feature_sums WHERE client_id = $1 AND page = ANY($2::int8[])', [
      clientId,
      plainArray(gone.map(({ page }) => page.page)),
    ]);
  if (kept.length === 0) return;
  const starts: number[] = [];
  kept.reduce((start, { bytes }) => (starts.push(start), start + bytes.length), 1);
  await tx.query(
    `INSERT INTO sim_feature_sums (client_id, page, from_day, sums)
     SELECT $1, changed.page, changed.from_day, substring($6::bytea FROM changed.start FOR changed.bytes)
       FROM unnest($2::int8[], $3::date[], $4::int4[], $5::int4[]) AS changed (page, from_day, start, bytes)
     ON CONFLICT (client_id, page) DO UPDATE SET from_day = EXCLUDED.from_day, sums = EXCLUDED.sums
     RETURNING page`,
    [
      clientId,
      plainArray(kept.map(({ page }) => page.page)),
      plainArray(kept.map(({ page }) => page.fromDay)),
      plainArray(starts),
      plainArray(kept.map(({ bytes }) => bytes.length)),
      Buffer.concat(kept.map(({ bytes }) => bytes)),
    ],
  );
}

function pageIn({ page, from_day: fromDay, sums }: PageRow): MonthPage {
  return MonthPage.read(Number(page), fromDay, sums);
}
