/** Fast randomness for billions of draws: a stream is a function of (seed, subject, day, purpose), so that any part of a population can be made alone. */

/** Quantiles of the exponential distribution of mean 1, at the middle of 4,096 equal parts. */
const EXPONENTIAL = Float64Array.from({ length: 4096 }, (_, part) => -Math.log(1 - (part + 0.5) / 4096));

/** Quantiles of the standard normal distribution, the same way (Box–Muller would cost a logarithm and a cosine per draw). */
const NORMAL = Float64Array.from({ length: 4096 }, (_, part) => normalQuantile((part + 0.5) / 4096));

/** sfc32 of the PractRand suite: three words and a counter; passes its tests and costs a few nanoseconds. */
export class RandomStream {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /** Begins the stream of this subject; purposes keep apart what must not depend on one another. */
  begin(seed: number, subject: number, day: number, purpose: number): this {
    this.a = mix(seed ^ 0x9e3779b9);
    this.b = mix((this.a ^ subject) + 0x85ebca6b);
    this.c = mix((this.b ^ day) + Math.imul(purpose + 1, 0xc2b2ae35));
    this.counter = 1;
    for (let round = 0; round < 8; round++) this.bits();
    return this;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  uniform(): number {
    return this.bits() * 2.3283064365386963e-10;
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** At most 3.7 standard deviations out: 4,096 quantiles have no longer tail. */
  normal(): number {
    return NORMAL[this.bits() >>> 20]!;
  }

  exponential(mean: number): number {
    return mean * EXPONENTIAL[this.bits() >>> 20]!;
  }

  /** Log-normal with mean 1; `spread` is the standard deviation of its logarithm. */
  logNormal(spread: number): number {
    return Math.exp(spread * this.normal() - (spread * spread) / 2);
  }

  /** Knuth's product below a mean of 30, the normal approximation above. */
  poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  /** A place in `weights`, in proportion to them. */
  weighted(weights: readonly number[]): number {
    let rest = this.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let place = 0; place < weights.length; place++) {
      rest -= weights[place]!;
      if (rest < 0) return place;
    }
    return weights.findLastIndex((weight) => weight > 0);
  }
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Rational approximation 26.2.23 of Abramowitz and Stegun, good to 0.0005. */
function normalQuantile(probability: number): number {
  const tail = Math.min(probability, 1 - probability);
  const t = Math.sqrt(-2 * Math.log(tail));
  const distance = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  return probability < 0.5 ? -distance : distance;
}
