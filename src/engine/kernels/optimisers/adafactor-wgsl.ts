/**
 * The five passes of adafactor.ts. Each finds its tensor in a table by binary search, so a pass is one dispatch for any
 * number of tensors. Sums within a workgroup are trees with a fixed order.
 */
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

/** Columns per workgroup of the column pass, and threads per column. */
export const COLUMNS = 16;

const HEAD = `struct Uniforms {
  // Tensors [first, end) of the table; this pass's units [from, to).
  first: u32, end: u32, from_: u32, to: u32,
  beta: f32, rest: f32, epsilon: f32, slices: u32, decay: f32, rate: f32,
}
struct Matrix {
  offset: u32, rowStart: u32, colStart: u32, blockStart: u32, slice: u32, batch: u32, rows: u32, cols: u32,
}
${GLOBAL_INDEX}`;

const find = (field: string) => `fn find(unit: u32) -> u32 {
  var low = u.first;
  var high = u.end;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (table[middle].${field} <= unit) { low = middle; } else { high = middle; }
  }
  return low;
}`;

/** Adds up `sums` over 64 threads; the total is in sums[0]. */
const TREE = `
  workgroupBarrier();
  for (var width = 32u; width > 0u; width /= 2u) {
    if (local < width) { sums[local] += sums[local + width]; }
    workgroupBarrier();
  }`;

/** row ← β·row + (1−β)·mean over columns of g² + ε; one workgroup per row. */
export const ROWS = () => `${HEAD}
@group(0) @binding(0) var<storage, read> grads: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> row: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${find('rowStart')}
var<workgroup> sums: array<f32, 64>;
${ENTRY} {
  let r = u.from_ + wg.y * groups.x + wg.x;
  if (r >= u.to || stats[2] == 0.0) { return; }
  let t = table[find(r)];
  let begin = t.offset + (r - t.rowStart) * t.cols;
  var sum = 0.0;
  for (var c = local; c < t.cols; c += 64u) {
    let g = grads[begin + c] * stats[1];
    sum += g * g;
  }
  sums[local] = sum;${TREE}
  if (local == 0u) { row[r] = u.beta * row[r] + u.rest * (sums[0] / f32(t.cols) + u.epsilon); }
}`;

/** col ← β·col + (1−β)·mean over rows of g² + ε; a workgroup takes sixteen columns, with sixteen threads each. */
export const COLS = () => `${HEAD}
@group(0) @binding(0) var<storage, read> grads: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> col: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${find('blockStart')}
var<workgroup> sums: array<f32, ${COLUMNS * COLUMNS}>;
@compute @workgroup_size(${COLUMNS * COLUMNS})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let block = u.from_ + wg.y * groups.x + wg.x;
  if (block >= u.to || stats[2] == 0.0) { return; }
  let t = table[find(block)];
  let each = (t.cols + ${COLUMNS - 1}u) / ${COLUMNS}u;
  let slice = (block - t.blockStart) / each;
  let c = (block - t.blockStart) % each * ${COLUMNS}u + local % ${COLUMNS}u;
  let begin = t.offset + slice * t.rows * t.cols;
  var sum = 0.0;
  if (c < t.cols) {
    for (var r = local / ${COLUMNS}u; r < t.rows; r += ${COLUMNS}u) {
      let g = grads[begin + r * t.cols + c] * stats[1];
      sum += g * g;
    }
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var width = ${COLUMNS / 2}u; width > 0u; width /= 2u) {
    if (local < width * ${COLUMNS}u) { sums[local] += sums[local + width * ${COLUMNS}u]; }
    workgroupBarrier();
  }
  if (local < ${COLUMNS}u && c < t.cols) {
    let i = t.colStart + slice * t.cols + c;
    col[i] = u.beta * col[i] + u.rest * (sums[local] / f32(t.rows) + u.epsilon);
  }
}`;

/** parts = Σ over columns of (g / √col)², the row's share of the update's RMS; one workgroup per row. */
export const PARTIAL = () => `${HEAD}
@group(0) @binding(0) var<storage, read> grads: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<Matrix>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> col: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
@group(0) @binding(5) var<uniform> u: Uniforms;
${find('rowStart')}
var<workgroup> sums: array<f32, 64>;
${ENTRY} {
  let r = u.from_ + wg.y * groups.x + wg.x;
  if (r >= u.to || stats[2] == 0.0) { return; }
  let t = table[find(r)];
  let begin = t.offset + (r - t.rowStart) * t.cols;
  let cols = t.colStart + (r - t.rowStart) / t.rows * t.cols;
  var sum = 0.0;
  for (var c = local; c < t.cols; c += 64u) {
    let x = grads[begin + c] * stats[1] * inverseSqrt(col[cols + c]);
    sum += x * x;
  }
  sums[local] = sum;${TREE}
  if (local == 0u) { parts[r] = sums[0]; }
}`;

/** The mean of `row` in each slice, and the divisor of the update, max(1, RMS); one workgroup per tensor. */
export const FOLD = () => `${HEAD}
@group(0) @binding(0) var<storage, read> table: array<Matrix>;
@group(0) @binding(1) var<storage, read> stats: array<f32>;
@group(0) @binding(2) var<storage, read> row: array<f32>;
@group(0) @binding(3) var<storage, read> parts: array<f32>;
@group(0) @binding(4) var<storage, read_write> folds: array<f32>;
@group(0) @binding(5) var<uniform> u: Uniforms;
var<workgroup> sums: array<vec2f, 64>;
${ENTRY} {
  let index = u.from_ + wg.y * groups.x + wg.x;
  if (index >= u.to || stats[2] == 0.0) { return; }
  let t = table[index];
  var total = 0.0;
  for (var slice = 0u; slice < t.batch; slice++) {
    var sum = vec2f(0.0);
    for (var i = local; i < t.rows; i += 64u) {
      let r = t.rowStart + slice * t.rows + i;
      sum += vec2f(row[r], parts[r] / row[r]);
    }
    sums[local] = sum;${TREE}
    let mean = sums[0].x / f32(t.rows);
    total += sums[0].y * mean;
    if (local == 0u) { folds[t.slice + slice] = mean; }
    workgroupBarrier();
  }
  if (local == 0u) { folds[u.slices + index] = max(1.0, sqrt(total / f32(t.batch * t.rows * t.cols))); }
}`;

/** p ← p·(1 − lr·wd) − lr · g / √(row/mean · col) / max(1, RMS); one thread per value. */
export const UPDATE = () => `${HEAD}
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<Matrix>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> row: array<f32>;
@group(0) @binding(5) var<storage, read> col: array<f32>;
@group(0) @binding(6) var<storage, read> folds: array<f32>;
@group(0) @binding(7) var<uniform> u: Uniforms;
${find('offset')}
${ENTRY} {
  let i = u.from_ + globalIndex(wg, local, groups);
  if (i >= u.to || stats[2] == 0.0) { return; }
  let index = find(i);
  let t = table[index];
  let r = (i - t.offset) / t.cols;
  let c = (i - t.offset) % t.cols;
  let slice = r / t.rows;
  let byRow = inverseSqrt(row[t.rowStart + r] / folds[t.slice + slice]);
  let byCol = inverseSqrt(col[t.colStart + slice * t.cols + c]);
  let step = byRow * byCol * (grads[i] * stats[1]) / folds[u.slices + index];
  p[i] = p[i] * u.decay - u.rate * step;
}`;
