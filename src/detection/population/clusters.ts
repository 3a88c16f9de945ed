/** Clusters: devices that behave alike, so that each is measured against its own kind. A Gaussian mixture over a few principal components. */
import {
  assign,
  chooseMixture,
  CovarianceAccumulator,
  fitScaler,
  packModel,
  principalComponents,
  projected,
  standardised,
  unpackModel,
  type GaussianMixture,
  type Matrix,
  type PrincipalComponents,
  type StandardScaler,
} from '../../detector/numeric';
import { CLUSTER_WIDTH } from './cluster-features';
import { seedFor } from './hash';

/** ANCHOR says "30 components = days" and "components by BIC": we let BIC choose among few, since it likes to give anomalies a component of their own. */
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8];
/** A smaller cluster would be made of whatever goes wrong today. */
const LEAST_WEIGHT = 0.03;
const LEAST_SIMS_PER_CLUSTER = 50;
const VARIANCE_SHARE = 0.95;
const MOST_COMPONENTS = 6;
/** Devices without any dialogue of a kind would make a direction of no width, and any single one an outlier of it. */
const REGULARISATION = 0.02;
const FORMAT = 'clusters/1';

export class ClusterModel {
  constructor(
    /** The lasting number of each component. */
    readonly numbers: readonly number[],
    readonly scaler: StandardScaler,
    private readonly pca: PrincipalComponents,
    private readonly mixture: GaussianMixture,
    /** components × CLUSTER_WIDTH: mean clustering vector of each, as fitted. */
    readonly centres: Float64Array,
  ) {}

  get weights(): Float64Array {
    return this.mixture.weights;
  }

  /** The cluster of highest posterior probability for each clustering vector. */
  assign(vectors: Float64Array): Int32Array {
    const rows = vectors.length / CLUSTER_WIDTH;
    const { component } = assign(this.mixture, coordinates({ rows, columns: CLUSTER_WIDTH, values: vectors }, this.scaler, this.pca));
    return component.map((each) => this.numbers[each]!);
  }

  with(numbers: readonly number[], centres: Float64Array): ClusterModel {
    return new ClusterModel(numbers, this.scaler, this.pca, this.mixture, centres);
  }

  toBytes(): Uint8Array {
    const { mixture, pca, scaler } = this;
    return packModel(FORMAT, {
      facts: { numbers: this.numbers, components: mixture.components, columns: mixture.columns },
      arrays: {
        means: scaler.means,
        deviations: scaler.deviations,
        pcaMeans: pca.means,
        directions: pca.directions,
        variances: pca.variances,
        weights: mixture.weights,
        mixtureMeans: mixture.means,
        whiteners: mixture.whiteners,
        centres: this.centres,
      },
    });
  }

  static fromBytes(bytes: Uint8Array): ClusterModel {
    const { facts, arrays } = unpackModel(FORMAT, bytes);
    const { numbers, components, columns } = facts as { numbers: number[]; components: number; columns: number };
    const array = (name: string) => arrays[name] as Float64Array;
    return new ClusterModel(
      numbers,
      { means: array('means'), deviations: array('deviations') },
      { means: array('pcaMeans'), components: columns, directions: array('directions'), variances: array('variances') },
      { components, columns, weights: array('weights'), means: array('mixtureMeans'), whiteners: array('whiteners') },
      array('centres'),
    );
  }
}

/** `vectors`: one clustering vector per SIM, at least one. Clusters are numbered from 0, the heaviest first. */
export function fitClusters(vectors: Float64Array, seed: number): ClusterModel {
  const matrix: Matrix<Float64Array> = { rows: vectors.length / CLUSTER_WIDTH, columns: CLUSTER_WIDTH, values: vectors };
  const scaler = fitScaler(matrix);
  const pca = componentsOf(standardised(matrix, scaler));
  const sizes = SIZES.filter((size) => size === 1 || size * LEAST_SIMS_PER_CLUSTER <= matrix.rows);
  const { fit } = chooseMixture(coordinates(matrix, scaler, pca), sizes, {
    covariance: 'full',
    seed: seedFor(seed, 'clusters'),
    regularisation: REGULARISATION,
    minimumWeight: LEAST_WEIGHT,
  });
  const model = new ClusterModel([...fit.mixture.weights.keys()], scaler, pca, fit.mixture, new Float64Array(0));
  return heaviestFirst(model, centresOf(model.assign(vectors), vectors, fit.mixture.components));
}

function componentsOf(scaled: Matrix): PrincipalComponents {
  const all = new CovarianceAccumulator(CLUSTER_WIDTH);
  all.add(scaled);
  return principalComponents(all.mean(), all.covariance('population'), { varianceShare: VARIANCE_SHARE, mostComponents: MOST_COMPONENTS });
}

function coordinates(matrix: Matrix, scaler: StandardScaler, pca: PrincipalComponents): Matrix<Float64Array> {
  return projected(standardised(matrix, scaler), pca);
}

function centresOf(component: Int32Array, vectors: Float64Array, components: number): Float64Array {
  const centres = new Float64Array(components * CLUSTER_WIDTH);
  const members = new Float64Array(components);
  component.forEach((each, row) => {
    members[each]! += 1;
    for (let i = 0; i < CLUSTER_WIDTH; i++) centres[each * CLUSTER_WIDTH + i]! += vectors[row * CLUSTER_WIDTH + i]!;
  });
  return centres.map((sum, cell) => sum / Math.max(1, members[Math.floor(cell / CLUSTER_WIDTH)]!));
}

function heaviestFirst(model: ClusterModel, centres: Float64Array): ClusterModel {
  const { weights } = model;
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b);
  const numbers = order.map((_, component) => order.indexOf(component));
  return model.with(numbers, centres);
}
