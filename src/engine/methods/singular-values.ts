/** Small dense linear algebra for PiSSA's initialisation, in float64, on matrices with a few long rows. */

const dot = (m: Float64Array, i: number, j: number, width: number): number => {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += m[i * width + k]! * m[j * width + k]!;
  return sum;
};

/**
 * Makes the `count` rows of `m` orthonormal in place (Gram–Schmidt, twice); a linearly dependent row becomes zero. Returns the lower
 * triangular matrix [count, count] that reverses it: triangle · after = before.
 */
export function orthogonalRows(m: Float64Array, count: number): Float64Array {
  const width = m.length / count;
  const triangle = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const before = Math.sqrt(dot(m, i, i, width));
    // The second pass removes the rounding error of the first.
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const share = dot(m, i, j, width);
        triangle[i * count + j]! += share;
        for (let k = 0; k < width; k++) m[i * width + k]! -= share * m[j * width + k]!;
      }
    }
    const length = Math.sqrt(dot(m, i, i, width));
    const kept = length > 1e-12 * before;
    if (kept) triangle[i * count + i] = length;
    for (let k = 0; k < width; k++) m[i * width + k]! *= kept ? 1 / length : 0;
  }
  return triangle;
}

/** The first `rows` rows of left [n, count] · right [count, width]. */
export function rowsOfProduct(left: Float64Array, right: Float64Array, count: number, rows: number): Float64Array {
  const width = right.length / count;
  const product = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < count; k++) {
      const factor = left[i * count + k]!;
      for (let j = 0; j < width; j++) product[i * width + j]! += factor * right[k * width + j]!;
    }
  }
  return product;
}

const MOST_SWEEPS = 30;
const ORTHOGONAL = 1e-14;

/**
 * One-sided Jacobi (Hestenes, 1958): rotates the `count` rows of `m` in place until they are orthogonal, longest first. Returns
 * their lengths, which are the singular values, and the rotation [count, count]: rotation · before = after.
 */
export function singularRows(m: Float64Array, count: number): { values: Float64Array; rotation: Float64Array } {
  const width = m.length / count;
  const rotation = new Float64Array(count * count);
  for (let i = 0; i < count; i++) rotation[i * count + i] = 1;
  const turn = (rows: Float64Array, w: number, i: number, j: number, c: number, s: number) => {
    for (let k = 0; k < w; k++) {
      const [x, y] = [rows[i * w + k]!, rows[j * w + k]!];
      rows[i * w + k] = c * x - s * y;
      rows[j * w + k] = s * x + c * y;
    }
  };
  for (let sweep = 0, turned = true; turned && sweep < MOST_SWEEPS; sweep++) {
    turned = false;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const [p, q, r] = [dot(m, i, i, width), dot(m, j, j, width), dot(m, i, j, width)];
        if (Math.abs(r) <= ORTHOGONAL * Math.sqrt(p * q)) continue;
        turned = true;
        const zeta = (q - p) / (2 * r);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        turn(m, width, i, j, c, c * t);
        turn(rotation, count, i, j, c, c * t);
      }
    }
  }
  const lengths = Float64Array.from({ length: count }, (_, i) => Math.sqrt(dot(m, i, i, width)));
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  const sorted = (rows: Float64Array, w: number) => {
    const before = rows.slice();
    order.forEach((from, to) => {
      rows.set(before.subarray(from * w, (from + 1) * w), to * w);
    });
  };
  sorted(m, width);
  sorted(rotation, count);
  return { values: Float64Array.from(order, (i) => lengths[i]!), rotation };
}
