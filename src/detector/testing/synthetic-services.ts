/** Seeded hours of a client's services in one country that work, for authors. */
import { seededRandom } from '../numeric';
import type { ServiceRow } from './rows';

/** An ordinary hour of voice and SMS registration: 200 SIMs are at home in the country, 60 tried, one of them was refused. */
export const quietServiceHour: ServiceRow = {
  serviceName: 'VOICE_SMS',
  servicePlatformWide: 0,
  serviceHour: 12,
  serviceDialogues: 150,
  serviceSuccesses: 141,
  serviceSimsTried: 60,
  serviceSimsFailed: 1,
  serviceSimsProvisioned: 200,
};

/** The 24 hours of the three services, with a few failures in each. */
export function syntheticServices({ sims, seed }: { sims: number; seed: number }): ServiceRow[] {
  const random = seededRandom(seed);
  const rows: ServiceRow[] = [];
  for (let serviceHour = 0; serviceHour < 24; serviceHour++) {
    for (const serviceName of ['VOICE_SMS', 'DATA', 'MAP']) {
      const serviceSimsTried = Math.ceil(sims * (0.1 + 0.3 * random()));
      const serviceDialogues = Math.ceil(serviceSimsTried * (2 + random()));
      const perSim = serviceName !== 'MAP';
      rows.push({
        serviceName,
        servicePlatformWide: 0,
        serviceHour,
        serviceDialogues,
        serviceSuccesses: Math.floor(serviceDialogues * (0.85 + 0.14 * random())),
        serviceSimsTried: perSim ? serviceSimsTried : NaN,
        serviceSimsFailed: perSim ? Math.floor(sims * 0.02 * random()) : NaN,
        serviceSimsProvisioned: perSim ? sims : NaN,
      });
    }
  }
  return rows;
}
