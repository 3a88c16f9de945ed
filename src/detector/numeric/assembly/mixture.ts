/** AssemblyScript: the two inner loops of the Gaussian mixture, two rows per SIMD register. `mixture-kernel.ts` does the same, bit for bit, without it. */

/**
 * Squared Mahalanobis distances of a block: out[k][row] = |W_k (x − mean_k)|², W_k lower triangular, packed.
 * points[column][row]; rows a multiple of 8; all offsets in bytes.
 */
export function distances(
  points: usize, means: usize, whiteners: usize, centred: usize, out: usize,
  components: i32, columns: i32, rows: i32,
): void {
  const stride = <usize>rows << 3;
  let whitener = whiteners;
  let mean = means;
  const triangle = <usize>((columns * (columns + 1)) >> 1) << 3;
  for (let k = 0; k < components; k++) {
    for (let row: usize = 0; row < stride; row += 64) {
      // (x − mean) of eight rows, column after column
      let at = centred;
      let from = points + row;
      for (let j = 0; j < columns; j++) {
        const middle = v128.load64_splat(mean + (<usize>j << 3));
        v128.store(at, f64x2.sub(v128.load(from), middle));
        v128.store(at, f64x2.sub(v128.load(from, 16), middle), 16);
        v128.store(at, f64x2.sub(v128.load(from, 32), middle), 32);
        v128.store(at, f64x2.sub(v128.load(from, 48), middle), 48);
        at += 64;
        from += stride;
      }
      let q0 = f64x2.splat(0), q1 = f64x2.splat(0), q2 = f64x2.splat(0), q3 = f64x2.splat(0);
      let w = whitener;
      for (let i = 0; i < columns; i++) {
        let s0 = f64x2.splat(0), s1 = f64x2.splat(0), s2 = f64x2.splat(0), s3 = f64x2.splat(0);
        let x = centred;
        const end = w + (<usize>(i + 1) << 3);
        for (; w < end; w += 8) {
          const factor = v128.load64_splat(w);
          s0 = f64x2.add(s0, f64x2.mul(factor, v128.load(x)));
          s1 = f64x2.add(s1, f64x2.mul(factor, v128.load(x, 16)));
          s2 = f64x2.add(s2, f64x2.mul(factor, v128.load(x, 32)));
          s3 = f64x2.add(s3, f64x2.mul(factor, v128.load(x, 48)));
          x += 64;
        }
        q0 = f64x2.add(q0, f64x2.mul(s0, s0));
        q1 = f64x2.add(q1, f64x2.mul(s1, s1));
        q2 = f64x2.add(q2, f64x2.mul(s2, s2));
        q3 = f64x2.add(q3, f64x2.mul(s3, s3));
      }
      const to = out + row;
      v128.store(to, q0);
      v128.store(to, q1, 16);
      v128.store(to, q2, 32);
      v128.store(to, q3, 48);
    }
    whitener += triangle;
    mean += <usize>columns << 3;
    out += stride;
  }
}

/**
 * Adds a block to the weighted moments about the means: for the centred row with a 1 appended, the lower triangle of Σ weight · z zᵀ, packed.
 * `centred` has room for columns + 1 columns and one more for the weighted column.
 */
export function accumulate(
  points: usize, means: usize, weights: usize, centred: usize, moments: usize,
  components: i32, columns: i32, rows: i32,
): void {
  const stride = <usize>rows << 3;
  const ones = centred + <usize>columns * stride;
  const weighted = ones + stride;
  for (let row: usize = 0; row < stride; row += 16) v128.store(ones + row, f64x2.splat(1));
  let mean = means;
  for (let k = 0; k < components; k++) {
    for (let j = 0; j < columns; j++) {
      const middle = v128.load64_splat(mean + (<usize>j << 3));
      const from = points + <usize>j * stride;
      const to = centred + <usize>j * stride;
      for (let row: usize = 0; row < stride; row += 16) v128.store(to + row, f64x2.sub(v128.load(from + row), middle));
    }
    for (let i = 0; i <= columns; i++) {
      const own = centred + <usize>i * stride;
      for (let row: usize = 0; row < stride; row += 16) v128.store(weighted + row, f64x2.mul(v128.load(weights + row), v128.load(own + row)));
      let j = 0;
      for (; j + 3 <= i; j += 4) {
        let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
        const x0 = centred + <usize>j * stride;
        const x1 = x0 + stride;
        const x2 = x1 + stride;
        const x3 = x2 + stride;
        for (let row: usize = 0; row < stride; row += 16) {
          const w = v128.load(weighted + row);
          a = f64x2.add(a, f64x2.mul(w, v128.load(x0 + row)));
          b = f64x2.add(b, f64x2.mul(w, v128.load(x1 + row)));
          c = f64x2.add(c, f64x2.mul(w, v128.load(x2 + row)));
          d = f64x2.add(d, f64x2.mul(w, v128.load(x3 + row)));
        }
        add(moments, a);
        add(moments + 8, b);
        add(moments + 16, c);
        add(moments + 24, d);
        moments += 32;
      }
      for (; j <= i; j++) {
        let a = f64x2.splat(0);
        const x0 = centred + <usize>j * stride;
        for (let row: usize = 0; row < stride; row += 16) a = f64x2.add(a, f64x2.mul(v128.load(weighted + row), v128.load(x0 + row)));
        add(moments, a);
        moments += 8;
      }
    }
    mean += <usize>columns << 3;
    weights += stride;
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, sum: v128): void {
  f64.store(at, f64.load(at) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
}
