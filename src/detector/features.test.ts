import { columnCatalogue, FEATURE_COUNT, featureCatalogue, featureNames, isColumnOf } from '.';

it('the catalogue has 95 features, each with a definition of its own', () => {
  expect(FEATURE_COUNT).toBe(95);
  expect(new Set(featureNames).size).toBe(95);
  expect(new Set(featureCatalogue.filter(({ group }) => group !== 'outcomes').map(({ description }) => description)).size).toBe(79);
});

it('counts are 0 where there is nothing to count, everything else is undefined', () => {
  for (const { name, unit, empty } of featureCatalogue)
    expect([name, empty]).toEqual([name, ['percent', 'seconds', 'ratio'].includes(unit) ? NaN : 0]);
});

it('detectors of features may ask for each of them, and for whether we blocked the SIM', () => {
  for (const name of [...featureNames, 'blockedByUs']) expect(isColumnOf(name, 'features')).toBe(true);
  expect(isColumnOf('dayBytes', 'features')).toBe(false);
  expect(columnCatalogue.n_sai.unit).toBe('dialogues');
});
