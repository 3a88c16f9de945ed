/** `simwarden/detector/numeric`: numerical tools for detectors. Public but experimental. */
export { seededRandom } from './random';
export { median, quantile } from './quantile';
