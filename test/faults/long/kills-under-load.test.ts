/** What the product promises of faults: more than 10,000 alerts over more than 100 kills (DESIGN, the table of what it must reach). */
import { inWords, lay } from '../kills-under-load';

test('nothing acknowledged is lost and no alert is lost or doubled over 100 kills and 10,000 alerts', async () => {
  const siege = { processes: 3, kills: 100, alerts: 10_000, seed: 1 };
  const toll = await lay(siege);
  process.stdout.write(`${inWords(siege, toll)}\n`);
  expect(toll).toMatchObject({ acknowledgedLost: 0, recordsDoubled: 0, alertsLost: 0, alertsDoubled: 0, incidentsDoubled: 0 });
  for (const portal of toll.portals) expect(portal).toEqual({ missed: 0, twice: 0, disorder: 0, refusals: [] });
}, 3_600_000);
