/** What `simwarden check` holds the detector against: fleets that must stay quiet, and anomalies that must be found. */
const { plantedUsage, quietSimDay, syntheticUsage } = require('simwarden/detector/testing');

module.exports = {
  quiet: [{ name: 'a quiet fleet', rows: syntheticUsage({ sims: 1000, seed: 1 }) }],
  anomalous: [
    plantedUsage('point', { kind: 'UPLOAD_HEAVY', seed: 2 }),
    { name: 'a stolen camera', kind: 'UPLOAD_HEAVY', planted: [1], rows: [quietSimDay, { ...quietSimDay, dayUplinkBytes: 9e8 }] },
  ],
};
