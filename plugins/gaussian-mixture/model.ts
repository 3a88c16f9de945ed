/** The mixture's model as bytes and back. */
import { readOnce, unpackModel, type ModelContent, type Usual } from 'simwarden/detector/numeric';
import type { Density, Scale } from './density';

export const FORMAT = 'gaussian-mixture/1';

export interface Trained {
  readonly names: readonly string[];
  readonly usual: { readonly low: ArrayLike<number>; readonly median: ArrayLike<number>; readonly high: ArrayLike<number> };
  readonly density: Density;
}

export function packed(names: readonly string[], usual: Usual, { scale, scaler, pca, mixture }: Density): ModelContent {
  return {
    facts: { names, scale },
    arrays: {
      low: usual.low,
      median: usual.median,
      high: usual.high,
      scalerMeans: scaler.means,
      scalerDeviations: scaler.deviations,
      pcaMeans: pca.means,
      pcaDirections: pca.directions,
      pcaVariances: pca.variances,
      weights: mixture.weights,
      means: mixture.means,
      whiteners: mixture.whiteners,
    },
  };
}

export function readModel(bytes: Uint8Array | undefined): Trained {
  if (bytes === undefined) throw new Error('expected a model: fit the detector first');
  return readKnown(bytes);
}

const readKnown = readOnce((bytes): Trained => {
  const { facts, arrays } = unpackModel(FORMAT, bytes);
  const { names, scale } = facts as { names: string[]; scale: Scale };
  const array = (name: string) => arrays[name] as Float64Array;
  const directions = array('pcaVariances').length;
  const components = array('weights').length;
  return {
    names,
    usual: { low: array('low'), median: array('median'), high: array('high') },
    density: {
      median: array('median'),
      scale,
      scaler: { means: array('scalerMeans'), deviations: array('scalerDeviations') },
      pca: { means: array('pcaMeans'), components: directions, directions: array('pcaDirections'), variances: array('pcaVariances') },
      mixture: { components, columns: directions, weights: array('weights'), means: array('means'), whiteners: array('whiteners') },
    },
  };
});
