/**
 * WGSL of attention for one head size. A thread owns one query row (or, for the gradient of keys and values, one key row)
 * and keeps it in named registers: D/4 vec4 where D is a multiple of 4, else D scalars. Keys and values are read by
 * neighbouring threads at the same time, so they come from cache. No workgroup memory, no T×T matrix, no atomics.
 */
import { ENTRY, GLOBAL_INDEX } from './matmul-wgsl';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const each = (n: number, f: (i: number) => string, separator = '\n') => range(n).map(f).join(separator);

interface Registers {
  /** Registers that hold one row of a head. */
  count: number;
  type: 'vec4f' | 'f32';
  zero: string;
  /** Σ of products of two register names with the same index. */
  dot(a: (c: number) => string, b: (c: number) => string): string;
}

function registersFor(headDim: number): Registers {
  const quads = headDim % 4 === 0;
  const count = quads ? headDim / 4 : headDim;
  return {
    count,
    type: quads ? 'vec4f' : 'f32',
    zero: quads ? 'vec4f(0.0)' : '0.0',
    dot: (a, b) => each(count, (c) => (quads ? `dot(${a(c)}, ${b(c)})` : `${a(c)} * ${b(c)}`), ' + '),
  };
}

/** Offsets are counted in registers, so a row of H heads is H·count long. */
const UNIFORMS = `struct Uniforms { batch: u32, queries: u32, keys: u32, heads: u32, kvHeads: u32, scale: f32, causal: u32 }`;

const KEYS_A_TILE = 4;

export function forwardShader(headDim: number): string {
  const r = registersFor(headDim);
  const tile = range(KEYS_A_TILE);
  return `${UNIFORMS}
@group(0) @binding(0) var<storage, read> Q: array<${r.type}>;
@group(0) @binding(1) var<storage, read> K: array<${r.type}>;
@group(0) @binding(2) var<storage, read> V: array<${r.type}>;
@group(0) @binding(3) var<storage, read> visible: array<i32>;
@group(0) @binding(4) var<storage, read_write> O: array<${r.type}>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.batch * u.heads * u.queries) { return; }
  let i = id % u.queries;
  let h = id / u.queries % u.heads;
  let b = id / (u.queries * u.heads);
  let row = b * u.queries + i;
  let at = (row * u.heads + h) * ${r.count}u;
  let stride = u.kvHeads * ${r.count}u;
  let base = b * u.keys * stride + h / (u.heads / u.kvHeads) * ${r.count}u;
  let first = u32(max(visible[2u * row], 0));
  let end = min(u32(max(visible[2u * row + 1u], 0)), u.keys);
${each(r.count, (c) => `  let q${c} = Q[at + ${c}u]; var o${c} = ${r.zero};`)}
  // Online softmax (Milakov & Gimelshein, 2018), one rescale a tile of keys.
  var top = -3.0e38;
  var sum = 0.0;
  for (var j = first; j < end; j += ${KEYS_A_TILE}u) {
${tile
  .map(
    (t) => `    let k${t} = base + min(j + ${t}u, end - 1u) * stride;
    let s${t} = select(-3.0e38, u.scale * (${r.dot(
      (c) => `q${c}`,
      (c) => `K[k${t} + ${c}u]`,
    )}), j + ${t}u < end);`,
  )
  .join('\n')}
    let newTop = max(top, max(max(s0, s1), max(s2, s3)));
    let shrink = exp(top - newTop);
${tile.map((t) => `    let p${t} = exp(s${t} - newTop);`).join('\n')}
    sum = sum * shrink + (p0 + p1 + p2 + p3);
${each(r.count, (c) => `    o${c} = o${c} * shrink + ${tile.map((t) => `p${t} * V[k${t} + ${c}u]`).join(' + ')};`)}
    top = newTop;
  }
  // A query that sees nothing (padding) gives zero.
  let inverse = select(0.0, 1.0 / sum, sum > 0.0);
${each(r.count, (c) => `  O[at + ${c}u] = o${c} * inverse;`)}
  lse[row * u.heads + h] = select(0.0, top + log(sum), sum > 0.0);
}`;
}

/**
 * Pairs (lse, delta = Σ dO·O) of each row and head. A pass of its own, so that none of the three needs more than the eight
 * storage buffers that every WebGPU device has.
 */
export function backwardStatsShader(headDim: number): string {
  const r = registersFor(headDim);
  return `${UNIFORMS}
@group(0) @binding(0) var<storage, read> O: array<${r.type}>;
@group(0) @binding(1) var<storage, read> lse: array<f32>;
@group(0) @binding(2) var<storage, read> dO: array<${r.type}>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.batch * u.heads * u.queries) { return; }
  let at = id * ${r.count}u;
  stats[id] = vec2f(lse[id], ${r.dot(
    (c) => `O[at + ${c}u]`,
    (c) => `dO[at + ${c}u]`,
  )});
}`;
}

export function backwardQueryShader(headDim: number): string {
  const r = registersFor(headDim);
  return `${UNIFORMS}
@group(0) @binding(0) var<storage, read> Q: array<${r.type}>;
@group(0) @binding(1) var<storage, read> K: array<${r.type}>;
@group(0) @binding(2) var<storage, read> V: array<${r.type}>;
@group(0) @binding(3) var<storage, read> visible: array<i32>;
@group(0) @binding(4) var<storage, read> stats: array<vec2f>;
@group(0) @binding(5) var<storage, read> dO: array<${r.type}>;
@group(0) @binding(6) var<storage, read_write> dQ: array<${r.type}>;
@group(0) @binding(7) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.batch * u.heads * u.queries) { return; }
  let i = id % u.queries;
  let h = id / u.queries % u.heads;
  let b = id / (u.queries * u.heads);
  let row = b * u.queries + i;
  let at = (row * u.heads + h) * ${r.count}u;
  let stride = u.kvHeads * ${r.count}u;
  let base = b * u.keys * stride + h / (u.heads / u.kvHeads) * ${r.count}u;
  let first = u32(max(visible[2u * row], 0));
  let end = min(u32(max(visible[2u * row + 1u], 0)), u.keys);
${each(r.count, (c) => `  let q${c} = Q[at + ${c}u]; let g${c} = dO[at + ${c}u]; var d${c} = ${r.zero};`)}
  let stat = stats[row * u.heads + h];
  for (var j = first; j < end; j++) {
    let k = base + j * stride;
    let p = exp(u.scale * (${r.dot(
      (c) => `q${c}`,
      (c) => `K[k + ${c}u]`,
    )}) - stat.x);
    let ds = u.scale * p * ((${r.dot(
      (c) => `g${c}`,
      (c) => `V[k + ${c}u]`,
    )}) - stat.y);
${each(r.count, (c) => `    d${c} += ds * K[k + ${c}u];`)}
  }
${each(r.count, (c) => `  dQ[at + ${c}u] = d${c};`)}
}`;
}

export function backwardKeyValueShader(headDim: number): string {
  const r = registersFor(headDim);
  return `${UNIFORMS}
@group(0) @binding(0) var<storage, read> Q: array<${r.type}>;
@group(0) @binding(1) var<storage, read> K: array<${r.type}>;
@group(0) @binding(2) var<storage, read> V: array<${r.type}>;
@group(0) @binding(3) var<storage, read> visible: array<i32>;
@group(0) @binding(4) var<storage, read> stats: array<vec2f>;
@group(0) @binding(5) var<storage, read> dO: array<${r.type}>;
@group(0) @binding(6) var<storage, read_write> dK: array<${r.type}>;
@group(0) @binding(7) var<storage, read_write> dV: array<${r.type}>;
@group(0) @binding(8) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.batch * u.kvHeads * u.keys) { return; }
  let j = id % u.keys;
  let kvHead = id / u.keys % u.kvHeads;
  let b = id / (u.keys * u.kvHeads);
  let group = u.heads / u.kvHeads;
  let at = ((b * u.keys + j) * u.kvHeads + kvHead) * ${r.count}u;
${each(r.count, (c) => `  let k${c} = K[at + ${c}u]; let v${c} = V[at + ${c}u]; var x${c} = ${r.zero}; var y${c} = ${r.zero};`)}
  for (var i = select(0u, j, u.causal == 1u); i < u.queries; i++) {
    let row = b * u.queries + i;
    if (i32(j) < visible[2u * row] || i32(j) >= visible[2u * row + 1u]) { continue; }
    for (var g = 0u; g < group; g++) {
      let h = kvHead * group + g;
      let q = (row * u.heads + h) * ${r.count}u;
      let stat = stats[row * u.heads + h];
      let p = exp(u.scale * (${r.dot(
        (c) => `k${c}`,
        (c) => `Q[q + ${c}u]`,
      )}) - stat.x);
      let ds = u.scale * p * ((${r.dot(
        (c) => `v${c}`,
        (c) => `dO[q + ${c}u]`,
      )}) - stat.y);
${each(r.count, (c) => `      y${c} += p * dO[q + ${c}u]; x${c} += ds * Q[q + ${c}u];`)}
    }
  }
${each(r.count, (c) => `  dK[at + ${c}u] = x${c}; dV[at + ${c}u] = y${c};`)}
}`;
}
