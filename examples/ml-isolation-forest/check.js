/** What `simwarden check` holds the detector against, and what the library can't do. */
const { plantedUsage, syntheticUsage } = require('simwarden/detector/testing');

const trafficOf = (rows) => rows.filter(({ dayBytes }) => dayBytes > 0);

module.exports = {
  quiet: [{ name: 'a quiet fleet with traffic', rows: trafficOf(syntheticUsage({ sims: 500, seed: 21 })) }],
  anomalous: [plantedUsage('point', { kind: 'EASILY_ISOLATED', seed: 22 })],
  expectedFailures: {
    seeded: 'the library draws from Math.random and takes no seed',
    fenced: 'the same: another process has other luck',
    'time-budget': 'it walks a hundred trees of objects per row',
  },
};
