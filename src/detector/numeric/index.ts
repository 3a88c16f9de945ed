/** `simwarden/detector/numeric`: numerical tools for detectors. Public but experimental. */
export { randomStream, sampleWithoutReplacement, seededRandom } from './random';
export { median, quantile, quantileOfSorted } from './quantile';
export { rowsOf, type Matrix } from './matrix';
export { imputeMedians, robustZ, usualOf, type Usual } from './robust';
export { fitScaler, standardised, type StandardScaler } from './scaler';
export { CovarianceAccumulator } from './covariance';
export { symmetricEigen, type Eigen } from './eigen';
export { principalComponents, projected, type PcaOptions, type PrincipalComponents } from './pca';
export { assign, type Assignment, type GaussianMixture } from './mixture';
export { bayesianInformation, chooseMixture, fitMixture, type MixtureChoice, type MixtureFit, type MixtureOptions } from './mixture-fit';
export { loadKernel, type Kernel } from './kernel';
export { packModel, readOnce, unpackModel, type ModelContent, type ModelFacts } from './model-bytes';
