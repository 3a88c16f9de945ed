import { all as allNetworks } from 'mcc-mnc-list';
import { PROCEDURES, PROTOCOLS } from '../../src/telemetry/dialogue-codes';
import { clusters } from './clusters';
import {
  clientOf,
  deviceOf,
  dialogueCsv,
  iccidOf,
  imsiOf,
  inventoryLines,
  nodes,
  packedDialogues,
  parseIncidents,
  signalingPopulation,
  trueStories,
  variedOptions,
  type DialogueBlock,
  type DialogueOrder,
  type SignalingOptions,
  type SignalingPopulation,
} from '.';
import { countries } from './networks';

const end = new Date('2026-11-15T00:00:00Z');
const few: SignalingOptions = { sims: 900, days: 10, seed: 3, end };

function csvOf(population: SignalingPopulation, day: number, order: DialogueOrder = {}): string {
  let csv = '';
  for (const block of dialogueCsv(population, day, order)) csv += Buffer.from(block).toString('latin1');
  return csv;
}

function rowsOf(population: SignalingPopulation, day: number): string[][] {
  const lines = csvOf(population, day).split('\n');
  return lines.slice(1, -1).map((line) => line.split(','));
}

function count(block: DialogueBlock, counts: Int32Array, active: Uint8Array): void {
  for (let row = 0; row < block.rows; row++) {
    active[block.simOrdinal[row]!] = 1;
    counts[block.protocol[row]! * 8 + block.procedure[row]!]! += 1;
  }
}

/** Mean dialogues per active device and day of each kind, a week's mix of working days and weekends. */
function meansOf(cluster: number, sims: number): Record<string, number> {
  const mix = clusters.map((_, place) => (place === cluster ? 1 : 0));
  const population = signalingPopulation({ sims, days: 7, seed: 11, end, volume: 1, mix, clients: 200, incidents: [] });
  const means: Record<string, number> = {};
  // 2026-11-11 was a Wednesday, 2026-11-14 a Saturday
  for (const [day, weight] of [
    [3, 5 / 7],
    [6, 2 / 7],
  ] as const) {
    const counts = new Int32Array(24);
    const active = new Uint8Array(sims);
    for (const block of packedDialogues(population, day, { order: 'sim' })) count(block, counts, active);
    const devices = active.reduce((sum, one) => sum + one, 0);
    for (const [kind, dialogues] of counts.entries()) {
      if (dialogues === 0) continue;
      const protocol = PROTOCOLS[(kind >> 3) - 1]!;
      const procedure = PROCEDURES[(kind & 7) - 1]!;
      for (const name of ['all', `${protocol} ${procedure}`]) means[name] = (means[name] ?? 0) + (weight * dialogues) / devices;
    }
  }
  return means;
}

describe('the simulated signaling', () => {
  it.each([
    [0, 6000, { all: 8.7, 'MAP SAI': 4.2, 'MAP UL': 1.2, 'MAP CL': 1.7 }],
    [1, 4000, { all: 22.4, 'DIAMETER SAI': 15, 'DIAMETER UL': 4.4, 'DIAMETER CL': 1.2 }],
    [2, 3000, { all: 98.4, 'MAP SAI': 46.4, 'MAP UL': 18.5, 'MAP CL': 21.6 }],
    [
      3,
      1500,
      { all: 1300, 'MAP SAI': 306, 'MAP UL': 145.5, 'MAP CL': 117.1, 'DIAMETER SAI': 291, 'DIAMETER UL': 244, 'DIAMETER CL': 102.1 },
    ],
    [4, 4000, { all: 72, 'MAP SAI': 2.1, 'MAP UL': 1.1, 'MAP CL': 1.6, 'DIAMETER SAI': 43, 'DIAMETER UL': 12.7, 'DIAMETER CL': 6.5 }],
  ])("has Table III's means in cluster %#", (cluster, sims, table) => {
    const means = meansOf(cluster, sims);
    for (const [kind, expected] of Object.entries(table)) {
      // four standard errors of the sampled devices come to as much
      expect({ kind, off: Math.abs(means[kind]! / expected - 1) < 0.07 || `${means[kind]!} instead of ${expected}` }).toEqual({
        kind,
        off: true,
      });
    }
  });

  it('has about 72 % of its devices active, with the mix that was asked for, and about 40 dialogues for each SIM and day', () => {
    const population = signalingPopulation({ ...few, sims: 8000, incidents: [] });
    // a Wednesday and a Saturday
    const perDay = [6, 9].map((day) => {
      const seen = new Set<number>();
      let dialogues = 0;
      for (const block of packedDialogues(population, day, { order: 'sim' })) {
        dialogues += block.rows;
        block.simOrdinal.forEach((sim) => seen.add(sim));
      }
      return { active: seen.size / population.sims, dialogues: dialogues / population.sims };
    });
    for (const { active } of perDay) expect(Math.abs(active - 0.72)).toBeLessThan(0.03);
    expect((perDay[0]!.dialogues * 5 + perDay[1]!.dialogues * 2) / 7).toBeGreaterThan(34);
    expect((perDay[0]!.dialogues * 5 + perDay[1]!.dialogues * 2) / 7).toBeLessThan(46);
    const counts = clusters.map(() => 0);
    for (let sim = 0; sim < population.sims; sim++) counts[deviceOf(population, sim).cluster]! += 1;
    const devices = clusters.reduce((sum, cluster) => sum + cluster.devices, 0);
    clusters.forEach((cluster, place) => expect(Math.abs(counts[place]! / 8000 - cluster.devices / devices)).toBeLessThan(0.04));
  });

  it('comes out the same for the same seed, and otherwise for another', () => {
    const day = (seed: number) => csvOf(signalingPopulation({ ...few, seed }), 4);
    expect(day(3) === day(3)).toBe(true);
    expect(day(3) === day(4)).toBe(false);
  });

  it('holds the same dialogues in every order, and the same file whether it fitted into memory or not', () => {
    const population = signalingPopulation(few);
    const byTime = csvOf(population, 8);
    const lines = (csv: string) => csv.split('\n').sort();
    expect(lines(csvOf(population, 8, { order: 'sim' })).join() === lines(byTime).join()).toBe(true);
    expect(csvOf(population, 8, { rowsInMemory: 5000 }) === byTime).toBe(true);
    const times = byTime
      .split('\n')
      .slice(1, -1)
      .map((line) => line.slice(16, 40));
    expect([...times].sort().join() === times.join()).toBe(true);
    expect(new Set(times.map((time) => time.slice(0, 10)))).toEqual(new Set(['2026-11-13']));
  });

  it('names only SIMs of its inventory, and networks that exist in their country', () => {
    const population = signalingPopulation(few);
    const inventory = [...inventoryLines(population, population.clients)].join('').trimEnd().split('\n');
    expect(inventory).toHaveLength(900);
    for (const place of [0, 1, 2]) expect(new Set(inventory.map((line) => line.split(',')[place])).size).toBe(900);
    const imsis = new Set(inventory.map((line) => line.split(',')[1]));
    expect(rowsOf(population, 0).every(([imsi]) => imsis.has(imsi))).toBe(true);
    const placesOf = (plmn: string) => {
      const found = allNetworks().filter((network) => `${network.mcc}-${network.mnc}` === plmn);
      return [...new Set(found.map((network) => network.countryCode))];
    };
    for (const country of countries) {
      for (const plmn of country.plmns) expect({ plmn, countries: placesOf(plmn) }).toEqual({ plmn, countries: [country.code] });
    }
    expect(new Set(nodes.map((node) => node.name)).size).toBe(nodes.length);
  });

  it('lets procedures follow each other as in an attach: authentication, update, then cancel location at the node that was left', () => {
    const population = signalingPopulation({ ...few, incidents: [] });
    const last = new Map<string, string[]>();
    const seen = { updates: 0, cancels: 0 };
    const outOfTurn: string[][] = [];
    for (const row of rowsOf(population, 3)) {
      const [imsi, , , , procedure, origin, , , , node] = row as [string, ...string[]];
      const [, , , , procedureBefore, originBefore, outcomeBefore, , , nodeBefore] = last.get(imsi) ?? [];
      last.set(imsi, row);
      if (!node || !nodeBefore) continue;
      if (procedure!.startsWith('UL')) {
        seen.updates++;
        if (procedureBefore !== 'SAI' || outcomeBefore !== 'SUCCESS' || originBefore !== origin || nodeBefore !== node) outOfTurn.push(row);
      }
      if (procedure === 'CL' && origin !== 'HOME') {
        seen.cancels++;
        if (!procedureBefore!.startsWith('UL') || outcomeBefore !== 'SUCCESS' || originBefore !== origin || nodeBefore === node)
          outOfTurn.push(row);
      }
    }
    expect(outOfTurn.slice(0, 3)).toEqual([]);
    expect(Math.min(seen.updates, seen.cancels)).toBeGreaterThan(1000);
  });

  it('is busier by day than by night', () => {
    const population = signalingPopulation({ ...few, mix: [0, 0, 0, 1, 0], incidents: [], sims: 300, clients: 5 });
    const hours = new Array<number>(24).fill(0);
    for (const block of packedDialogues(population, 5)) {
      for (let row = 0; row < block.rows; row++) {
        const { country } = deviceOf(population, block.simOrdinal[row]!);
        hours[Math.floor((block.startedAt[row]! / 3_600_000 + countries[country]!.utcOffsetHours + 24) % 24)]! += 1;
      }
    }
    expect(hours[14]!).toBeGreaterThan(3 * hours[2]!);
  });
});

describe('incidents of the simulated signaling', () => {
  it("are Table I's, of five clients, with a control that nothing happens to", () => {
    const population = signalingPopulation({ ...few, sims: 6000 });
    const stories = trueStories(population);
    expect(stories.map(({ kind, country }) => `${kind} ${country}`)).toEqual([
      'ROAMING_AGREEMENT ES',
      'REGISTRATION_LOOP US',
      'PLATFORM_ERROR AR',
      'COVERAGE_STORM SV',
      'TRAFFIC_BLOCKED DE',
      'SERVICE_REJECT IN',
    ]);
    expect(new Set(stories.map((story) => story.client)).size).toBe(5);
    expect(stories.every((story) => story.iccids.length >= 10)).toBe(true);
    expect(population.controls).toEqual(['Steady Parcels']);
    expect(stories.map((story) => story.client)).not.toContain('Steady Parcels');
  });

  it('change the devices they hit and nobody else', () => {
    const quiet = signalingPopulation({ ...few, incidents: [] });
    const loud = signalingPopulation({ ...few, incidents: parseIncidents('registration-loop:5-15@US+2') });
    const [incident] = loud.incidents;
    const hit = new Set(incident!.sims.map((sim) => imsiOf(clientOf(loud, sim), sim)));
    expect(hit.size).toBe(15);
    expect(trueStories(loud)[0]!.iccids).toEqual(incident!.sims.map((sim) => iccidOf(clientOf(loud, sim), sim)));
    const day = 7;
    const others = (population: SignalingPopulation) =>
      csvOf(population, day)
        .split('\n')
        .filter((line) => !hit.has(line.slice(0, 15)));
    expect(others(loud).join() === others(quiet).join()).toBe(true);
    const cancels = rowsOf(loud, day).filter((row) => hit.has(row[0]!) && row[5] === 'HOME' && row[10] === 'SUBSCRIPTION_WITHDRAWAL');
    expect(cancels.length).toBeGreaterThan(15 * 50);
    expect(new Set(cancels.map((row) => row[0])).size).toBeGreaterThan(10);
    for (const after of [6, 8]) expect(csvOf(loud, after) === csvOf(quiet, after)).toBe(true);
  });

  it('leave nothing of a device that fell silent', () => {
    const population = signalingPopulation({ ...few, incidents: parseIncidents('silence:3-20@IN+0') });
    const silent = new Set(population.incidents[0]!.sims);
    const seen = [...packedDialogues(population, 9)].flatMap((block) => [...block.simOrdinal]);
    expect(seen.filter((sim) => silent.has(sim))).toEqual([]);
  });

  it.each([
    [{ mix: [1, 1] }, 'expected five shares'],
    [{ mix: [0, 0, 0, 0, 0] }, 'expected five shares'],
    [{ volume: 0 }, 'expected a volume'],
    [{ days: 0 }, 'expected 1 to 400 days'],
    [{ clients: 2000 }, 'expected 1 to 10000 clients'],
    [{ end: new Date('2026-11-15T01:00:00Z') }, 'expected the end at a UTC midnight'],
    [{ incidents: [{ kind: 'SILENCE' as const, client: 77, sims: 1 }] }, 'expected a client from 1 to 40, got 77'],
    [
      { incidents: [{ kind: 'SILENCE' as const, client: 1, sims: 1, country: 'US' }] },
      'expected a country of Casa Clara (ES, PT, IT), got US',
    ],
    [{ incidents: [{ kind: 'SILENCE' as const, client: 1, sims: 9999 }] }, 'SIMs, which Casa Clara has in ES, got 9999'],
  ])('are refused with what was expected: %o', (options, message) => {
    expect(() => signalingPopulation({ ...few, ...options })).toThrow(message);
  });

  it('come in other kinds, places and sizes, in populations of other mixes, for every seed of a variation', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      const options = variedOptions(seed, { sims: 3000, days: 6, end });
      const population = signalingPopulation(options);
      expect(new Set(population.incidents.map((incident) => incident.client)).size).toBe(5);
      expect(population.controls).toEqual(['Steady Parcels']);
      seen.add(
        trueStories(population)
          .map(({ kind, client, country }) => `${kind} ${client} ${country}`)
          .join(),
      );
      expect(packedDialogues(population, 5, { order: 'sim' }).next().value!.rows).toBeGreaterThan(1000);
    }
    expect(seen.size).toBe(10);
  });
});
