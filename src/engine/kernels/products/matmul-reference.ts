/** The three products as plain loops that sum in float64: what the GPU kernels are checked against. */

type Matrix = ArrayLike<number>;

/** y[m,n] += alpha · x[m,k]·w[n,k]ᵀ */
export function addNT(y: Float32Array, x: Matrix, w: Matrix, m: number, n: number, k: number, alpha = 1): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[i * k + l]! * w[j * k + l]!;
      y[i * n + j]! += alpha * sum;
    }
  }
}

/** z[m,k] += alpha · y[m,n]·w[n,k] */
export function addNN(z: Float32Array, y: Matrix, w: Matrix, m: number, n: number, k: number, alpha = 1): void {
  const row = new Float64Array(k);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let j = 0; j < n; j++) {
      const left = y[i * n + j]!;
      for (let l = 0; l < k; l++) row[l]! += left * w[j * k + l]!;
    }
    for (let l = 0; l < k; l++) z[i * k + l]! += alpha * row[l]!;
  }
}

/** c[p,q] += alpha · u[m,p]ᵀ·v[m,q] */
export function addTN(c: Float32Array, a: Matrix, b: Matrix, m: number, p: number, q: number, alpha = 1): void {
  const row = new Float64Array(q);
  for (let i = 0; i < p; i++) {
    row.fill(0);
    for (let l = 0; l < m; l++) {
      const left = a[l * p + i]!;
      for (let j = 0; j < q; j++) row[j]! += left * b[l * q + j]!;
    }
    for (let j = 0; j < q; j++) c[i * q + j]! += alpha * row[j]!;
  }
}
