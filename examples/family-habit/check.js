/** What `simwarden check` holds the detector against. */
const { plantedUsage, syntheticUsage } = require('simwarden/detector/testing');

module.exports = {
  quiet: [
    { name: 'a quiet fleet', rows: syntheticUsage({ sims: 1000, seed: 11 }) },
    { name: 'another quiet fleet', rows: syntheticUsage({ sims: 1000, seed: 12 }) },
  ],
  anomalous: [
    plantedUsage('point', { kind: 'UNLIKE_ITS_FAMILY', seed: 13 }),
    plantedUsage('shift', { kind: 'UNLIKE_ITS_FAMILY', seed: 14 }),
  ],
};
