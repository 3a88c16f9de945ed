/** Exact upper tails of the binomial and the beta-binomial distribution: how likely so many flagged devices are by chance. */

/** ln k! below this is summed once; above, Stirling's series is exact to 1e-15 (Abramowitz and Stegun 6.1.41). */
const TABLE = 32;
const logFactorials = Float64Array.from({ length: TABLE }, () => 0);
for (let k = 2; k < TABLE; k++) logFactorials[k] = logFactorials[k - 1]! + Math.log(k);

function logFactorial(k: number): number {
  if (k < TABLE) return logFactorials[k]!;
  const x = k + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
}

function logMass(trials: number, hits: number, rate: number): number {
  const ways = logFactorial(trials) - logFactorial(hits) - logFactorial(trials - hits);
  return ways + hits * Math.log(rate) + (trials - hits) * Math.log1p(-rate);
}

/** P(X ≥ hits) for X ~ Binomial(trials, rate). Summed from the largest term outwards, so small tails keep their digits. */
export function upperTail(trials: number, hits: number, rate: number): number {
  if (hits <= 0) return 1;
  if (hits > trials || rate <= 0) return 0;
  if (rate >= 1) return 1;
  const odds = rate / (1 - rate);
  if (hits > trials * rate) {
    let sum = 1;
    for (let k = hits, term = 1; k < trials && term > sum * 1e-17; k++) sum += term *= ((trials - k) / (k + 1)) * odds;
    return Math.min(1, Math.exp(logMass(trials, hits, rate)) * sum);
  }
  let sum = 1;
  for (let k = hits - 1, term = 1; k > 0 && term > sum * 1e-17; k--) sum += term *= k / (trials - k + 1) / odds;
  return Math.max(0, 1 - Math.exp(logMass(trials, hits - 1, rate)) * sum);
}

/** ln Γ(x) for x > 0: Stirling's series above 10, brought there by Γ(x + 1) = x Γ(x). */
function logGamma(x: number): number {
  let below = 0;
  for (; x < 10; x++) below += Math.log(x);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - below;
}

/**
 * P(X ≥ hits) for X ~ BetaBinomial(trials, alpha, beta): what a binomial tail is where the rate itself is known from `alpha` hits and `beta` misses
 * only. Wider than the binomial's by how little these are.
 */
export function betaBinomialTail(trials: number, hits: number, alpha: number, beta: number): number {
  if (hits <= 0) return 1;
  if (hits > trials) return 0;
  const ways = logFactorial(trials) - logFactorial(hits) - logFactorial(trials - hits);
  const whole = logGamma(alpha) + logGamma(beta) - logGamma(alpha + beta);
  let term = Math.exp(ways + logGamma(hits + alpha) + logGamma(trials - hits + beta) - logGamma(trials + alpha + beta) - whole);
  let sum = 0;
  const mean = (trials * alpha) / (alpha + beta);
  for (let k = hits; k <= trials && (k <= mean || term > sum * 1e-17); k++) {
    sum += term;
    term *= ((trials - k) / (k + 1)) * ((k + alpha) / (trials - k - 1 + beta));
  }
  return Math.min(1, sum);
}
