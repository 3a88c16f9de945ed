/** Starting points of a mixture: k-means++ (Arthur and Vassilvitskii, 2007) and a few rounds of Lloyd's algorithm. */
import type { Matrix } from './matrix';

/** components × columns centres among the rows, each drawn in proportion to its squared distance from those before. */
export function kMeansStart({ rows, columns, values }: Matrix, components: number, random: () => number): Float64Array {
  const centres = new Float64Array(components * columns);
  const distance = new Float64Array(rows).fill(Infinity);
  let chosen = Math.floor(random() * rows);
  for (let k = 0; k < components; k++) {
    centres.set(values.subarray(chosen * columns, (chosen + 1) * columns), k * columns);
    let total = 0;
    for (let row = 0; row < rows; row++) {
      distance[row] = Math.min(distance[row]!, squaredDistance(values, row * columns, centres, k * columns, columns));
      total += distance[row]!;
    }
    let left = random() * total;
    // all rows on a centre already: any row is as good
    chosen = total > 0 ? 0 : Math.floor(random() * rows);
    while (total > 0 && chosen < rows - 1 && (left -= distance[chosen]!) >= 0) chosen += 1;
  }
  return centres;
}

/** The nearest centre of each row; the first of equals. */
export function nearestCentres({ rows, columns, values }: Matrix, centres: Float64Array): Int32Array {
  const components = centres.length / columns;
  const nearest = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let least = Infinity;
    for (let k = 0; k < components; k++) {
      const distance = squaredDistance(values, row * columns, centres, k * columns, columns);
      if (distance < least) {
        least = distance;
        nearest[row] = k;
      }
    }
  }
  return nearest;
}

/** Moves each centre to the mean of the rows nearest to it, a few times; a centre without rows stays. */
export function lloydRounds(matrix: Matrix, centres: Float64Array, rounds: number): Float64Array {
  const { rows, columns, values } = matrix;
  let current = centres;
  for (let round = 0; round < rounds; round++) {
    const nearest = nearestCentres(matrix, current);
    const sums = new Float64Array(current.length);
    const counts = new Float64Array(current.length / columns);
    for (let row = 0; row < rows; row++) {
      const k = nearest[row]!;
      counts[k]! += 1;
      for (let j = 0; j < columns; j++) sums[k * columns + j]! += values[row * columns + j]!;
    }
    const before = current;
    current = sums.map((sum, cell) => {
      const count = counts[Math.floor(cell / columns)]!;
      return count > 0 ? sum / count : before[cell]!;
    });
  }
  return current;
}

function squaredDistance(
  a: Float32Array | Float64Array,
  fromA: number,
  b: Float32Array | Float64Array,
  fromB: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const difference = a[fromA + i]! - b[fromB + i]!;
    sum += difference * difference;
  }
  return sum;
}
