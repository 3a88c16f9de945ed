/** The short form of what `npm run faults` does at length: servers die while senders send and portals listen. */
import { testServerUrl } from '../support/database';
import { inWords, lay } from './kills-under-load';

test('nothing acknowledged is lost and no alert is lost or doubled while servers are killed at any moment', async () => {
  const siege = { processes: 3, kills: testServerUrl === null ? 2 : 4, alerts: 60, seed: 1 };
  const toll = await lay(siege);
  process.stdout.write(`${inWords(siege, toll)}\n`);
  expect(toll).toMatchObject({ acknowledgedLost: 0, recordsDoubled: 0, alertsLost: 0, alertsDoubled: 0, incidentsDoubled: 0 });
  for (const portal of toll.portals) expect(portal).toEqual({ missed: 0, twice: 0, disorder: 0, refusals: [] });
});
