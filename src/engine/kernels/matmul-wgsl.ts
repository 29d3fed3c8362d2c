/**
 * WGSL for the three products that training needs, as register tiles without workgroup memory: each thread computes a
 * TM×TN block of the output from 16-byte loads, every value held in a named register (an array indexed in a loop would
 * spill). Out-of-range rows are clamped on load and guarded on store, so the inner loop has no branch.
 *
 *   NT: Y[M,N] = X[M,K] · W[N,K]ᵀ     Hugging Face stores a Linear as [out, in], so this is its forward
 *   NN: Z[M,K] = Y[M,N] · W[N,K]      its gradient to the input
 *   TN: C[P,Q] = U[M,P]ᵀ · V[M,Q]     gradients of LoRA's A and B, and of trainable weights
 */
import type { WeightFormat } from '../types';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const lines = (n: number, f: (i: number) => string) => range(n).map(f).join('\n');

/** `fn NAME(i) -> vec4f`: four consecutive values of a matrix, `i` counting quads. */
function quadLoader(name: string, array: string, format: WeightFormat): string {
  if (format === 'f32') return `fn ${name}(i: u32) -> vec4f { return ${array}[i]; }`;
  // bf16 is the upper half of an f32: widening is a shift, exact.
  return `fn ${name}(i: u32) -> vec4f {
  let p = ${array}[i];
  return vec4f(bitcast<f32>(p.x << 16u), bitcast<f32>(p.x & 0xffff0000u), bitcast<f32>(p.y << 16u), bitcast<f32>(p.y & 0xffff0000u));
}`;
}

function scalarLoader(name: string, array: string, format: WeightFormat): string {
  if (format === 'f32') return `fn ${name}(i: u32) -> f32 { return ${array}[i]; }`;
  return `fn ${name}(i: u32) -> f32 {
  let p = ${array}[i >> 1u];
  return bitcast<f32>(select(p << 16u, p & 0xffff0000u, (i & 1u) == 1u));
}`;
}

/** A matrix operand as storage elements: quads or scalars, in its format. */
export function elementType(format: WeightFormat, quads: boolean): string {
  if (format === 'bf16') return quads ? 'vec2<u32>' : 'u32';
  return quads ? 'vec4f' : 'f32';
}

export function matrixLoader(name: string, array: string, format: WeightFormat, quads: boolean): string {
  return quads ? quadLoader(name, array, format) : scalarLoader(name, array, format);
}

/** The flat invocation index where the dispatch may be folded into two dimensions. */
export const GLOBAL_INDEX = `fn globalIndex(wg: vec3u, local: u32, groups: vec3u) -> u32 {
  return (wg.y * groups.x + wg.x) * 64u + local;
}`;

export const ENTRY = `@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u)`;

export interface NtVariant {
  tm: number;
  tn: number;
  format: WeightFormat;
  /** K is a multiple of 4. */
  quads: boolean;
  /** N is a multiple of 4, and tn too: results are stored as vec4. */
  quadStore: boolean;
  /** Adds H[M,r] · B[N,r]ᵀ: LoRA's second half, as more of the same reduction. */
  lora: false | { quads: boolean };
  bias: boolean;
  residual: boolean;
}

/** One reduction `acc[i][j] += Σ_k left[m0+i, k] · right[n0+j, k]`. */
function ntLoop(v: { tm: number; tn: number; quads: boolean }, left: string, right: string, depth: string): string {
  const { tm, tn, quads } = v;
  const d = quads ? `(${depth} / 4u)` : depth;
  return `{
  let depth = ${d};
${lines(tm, (i) => `  let x${i} = min(m0 + ${i}u, u.m - 1u) * depth;`)}
${lines(tn, (j) => `  let w${j} = min(n0 + ${j}u, u.n - 1u) * depth;`)}
  for (var k = 0u; k < depth; k++) {
${lines(tn, (j) => `    let wv${j} = ${right}(w${j} + k);`)}
${lines(
  tm,
  (i) => `    let xv${i} = ${left}(x${i} + k);
${lines(tn, (j) => (quads ? `    a${i}_${j} += dot(xv${i}, wv${j});` : `    a${i}_${j} += xv${i} * wv${j};`))}`,
)}
  }
}`;
}

export function ntShader(v: NtVariant): string {
  let binding = 0;
  const declare = (access: string, name: string, type: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${name}: array<${type}>;`;
  const head = [
    declare('read', 'X', elementType('f32', v.quads)),
    declare('read', 'W', elementType(v.format, v.quads)),
  ];
  const loaders = [matrixLoader('loadX', 'X', 'f32', v.quads), matrixLoader('loadW', 'W', v.format, v.quads)];
  if (v.lora) {
    head.push(
      declare('read', 'H', elementType('f32', v.lora.quads)),
      declare('read', 'B', elementType('f32', v.lora.quads)),
    );
    loaders.push(matrixLoader('loadH', 'H', 'f32', v.lora.quads), matrixLoader('loadB', 'B', 'f32', v.lora.quads));
  }
  const wide = v.quadStore ? 'vec4f' : 'f32';
  if (v.bias) head.push(declare('read', 'bias', wide));
  if (v.residual) head.push(declare('read', 'residual', wide));
  head.push(declare('read_write', 'Y', wide));
  const extra = (n: string, at: string) => `${v.bias ? ` + bias[${n}]` : ''}${v.residual ? ` + residual[${at}]` : ''}`;
  const store = v.quadStore
    ? lines(
        v.tm,
        (i) => `  if (m0 + ${i}u < u.m) {
${lines(
  v.tn / 4,
  (q) => `    { let n4 = n0 / 4u + ${q}u; if (n4 * 4u < u.n) { let at = (m0 + ${i}u) * (u.n / 4u) + n4;
      Y[at] = vec4f(${range(4)
        .map((c) => `a${i}_${q * 4 + c}`)
        .join(', ')}) * u.alpha${extra('n4', 'at')}; } }`,
)}
  }`,
      )
    : lines(
        v.tm,
        (i) => `  if (m0 + ${i}u < u.m) {
${lines(
  v.tn,
  (j) =>
    `    if (n0 + ${j}u < u.n) { let at = (m0 + ${i}u) * u.n + n0 + ${j}u; Y[at] = a${i}_${j} * u.alpha${extra(`n0 + ${j}u`, 'at')}; }`,
)}
  }`,
      );
  return `struct Uniforms { m: u32, n: u32, k: u32, rank: u32, alpha: f32 }
${head.join('\n')}
@group(0) @binding(${binding}) var<uniform> u: Uniforms;
${loaders.join('\n')}
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let tilesN = (u.n + ${v.tn - 1}u) / ${v.tn}u;
  let m0 = id / tilesN * ${v.tm}u;
  let n0 = id % tilesN * ${v.tn}u;
  if (m0 >= u.m) { return; }
${lines(v.tm, (i) =>
  range(v.tn)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  ${ntLoop(v, 'loadX', 'loadW', 'u.k')}
  ${v.lora ? ntLoop({ tm: v.tm, tn: v.tn, quads: v.lora.quads }, 'loadH', 'loadB', 'u.rank') : ''}
${store}
}`;
}

export interface NnVariant {
  tm: number;
  /** Output columns a thread; a multiple of 4 when `quads`. */
  tk: number;
  format: WeightFormat;
  /** K is a multiple of 4 (weight rows are read in quads). */
  quads: boolean;
  /** N is a multiple of 4 (dY is read in quads); only with `quads`. */
  leftQuads: boolean;
  /** Adds H[M,r] · A[r,K]. */
  lora: false | { leftQuads: boolean };
}

/** acc[i][q] += Σ_n left[m0+i, n] · right[n, k0..]. */
function nnLoop(v: NnVariant, left: string, right: string, depth: string, leftQuads: boolean): string {
  const { tm, tk, quads } = v;
  if (!quads) {
    return `for (var n = 0u; n < ${depth}; n++) {
${lines(tk, (j) => `    let w${j} = ${right}(n * u.k + min(k0 + ${j}u, u.k - 1u));`)}
${lines(
  tm,
  (i) => `    let y${i} = ${left}(min(m0 + ${i}u, u.m - 1u) * ${depth} + n);
${lines(tk, (j) => `    a${i}_${j} += y${i} * w${j};`)}`,
)}
  }`;
  }
  const tq = tk / 4;
  const columns = lines(tq, (q) => `  let c${q} = min(k0 / 4u + ${q}u, k4 - 1u);`);
  if (!leftQuads) {
    return `{
  let k4 = u.k / 4u;
${columns}
  for (var n = 0u; n < ${depth}; n++) {
${lines(tq, (q) => `    let w${q} = ${right}(n * k4 + c${q});`)}
${lines(
  tm,
  (i) => `    let y${i} = ${left}(min(m0 + ${i}u, u.m - 1u) * ${depth} + n);
${lines(tq, (q) => `    a${i}_${q} += y${i} * w${q};`)}`,
)}
  }
}`;
  }
  const component = ['x', 'y', 'z', 'w'];
  return `{
  let k4 = u.k / 4u;
  let n4s = ${depth} / 4u;
${columns}
${lines(tm, (i) => `  let r${i} = min(m0 + ${i}u, u.m - 1u) * n4s;`)}
  for (var n4 = 0u; n4 < n4s; n4++) {
    let base = n4 * 4u * k4;
${lines(tm, (i) => `    let y${i} = ${left}(r${i} + n4);`)}
${lines(
  4,
  (c) => `    {
${lines(tq, (q) => `      let w${q} = ${right}(base + ${c}u * k4 + c${q});`)}
${lines(tm, (i) => lines(tq, (q) => `      a${i}_${q} += y${i}.${component[c]} * w${q};`))}
    }`,
)}
  }
}`;
}

export function nnShader(v: NnVariant): string {
  let binding = 0;
  const declare = (access: string, name: string, type: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${name}: array<${type}>;`;
  const head = [
    declare('read', 'Y', elementType('f32', v.leftQuads)),
    declare('read', 'W', elementType(v.format, v.quads)),
  ];
  const loaders = [matrixLoader('loadY', 'Y', 'f32', v.leftQuads), matrixLoader('loadW', 'W', v.format, v.quads)];
  if (v.lora) {
    head.push(
      declare('read', 'H', elementType('f32', v.lora.leftQuads)),
      declare('read', 'A', elementType('f32', v.quads)),
    );
    loaders.push(matrixLoader('loadH', 'H', 'f32', v.lora.leftQuads), matrixLoader('loadA', 'A', 'f32', v.quads));
  }
  head.push(declare('read_write', 'Z', v.quads ? 'vec4f' : 'f32'));
  const columns = v.quads ? v.tk / 4 : v.tk;
  const store = lines(
    v.tm,
    (i) => `  if (m0 + ${i}u < u.m) {
${lines(columns, (q) =>
  v.quads
    ? `    if (k0 + ${q * 4}u < u.k) { Z[(m0 + ${i}u) * (u.k / 4u) + k0 / 4u + ${q}u] = a${i}_${q} * u.alpha; }`
    : `    if (k0 + ${q}u < u.k) { Z[(m0 + ${i}u) * u.k + k0 + ${q}u] = a${i}_${q} * u.alpha; }`,
)}
  }`,
  );
  return `struct Uniforms { m: u32, n: u32, k: u32, rank: u32, alpha: f32 }
${head.join('\n')}
@group(0) @binding(${binding}) var<uniform> u: Uniforms;
${loaders.join('\n')}
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let tilesK = (u.k + ${v.tk - 1}u) / ${v.tk}u;
  let m0 = id / tilesK * ${v.tm}u;
  let k0 = id % tilesK * ${v.tk}u;
  if (m0 >= u.m) { return; }
${lines(v.tm, (i) =>
  range(columns)
    .map((q) => `  var a${i}_${q} = ${v.quads ? 'vec4f(0.0)' : '0.0'};`)
    .join(''),
)}
  ${nnLoop(v, 'loadY', 'loadW', 'u.n', v.leftQuads)}
  ${v.lora ? nnLoop(v, 'loadH', 'loadA', 'u.rank', v.lora.leftQuads) : ''}
${store}
}`;
}

/** C[P,Q] = alpha · Σ_m U[m,P] · V[m,Q], `count` such products (1 or 2) in one dispatch, each with its own sizes. */
export function tnShader(products: { quads: boolean }[]): string {
  let binding = 0;
  const declare = (access: string, name: string, type: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${name}: array<${type}>;`;
  const head: string[] = [];
  const bodies: string[] = [];
  const tile = 8;
  products.forEach(({ quads }, s) => {
    const type = quads ? 'vec4f' : 'f32';
    head.push(declare('read', `U${s}`, type), declare('read', `V${s}`, type), declare('read_write', `C${s}`, type));
    const [P, Q] = [`u.p${s}`, `u.q${s}`];
    const t = quads ? tile : tile / 2;
    const component = ['x', 'y', 'z', 'w'];
    bodies.push(`fn product${s}(id: u32) {
  let tilesQ = (${Q} + ${t - 1}u) / ${t}u;
  let p0 = id / tilesQ * ${t}u;
  let q0 = id % tilesQ * ${t}u;
  if (p0 >= ${P}) { return; }
${
  quads
    ? `  let P4 = ${P} / 4u; let Q4 = ${Q} / 4u;
${lines(2, (i) => `  let pc${i} = min(p0 / 4u + ${i}u, P4 - 1u); let qc${i} = min(q0 / 4u + ${i}u, Q4 - 1u);`)}
${lines(8, (i) => `  var a${i}_0 = vec4f(0.0); var a${i}_1 = vec4f(0.0);`)}
  for (var m = 0u; m < u.m; m++) {
    let v0 = V${s}[m * Q4 + qc0]; let v1 = V${s}[m * Q4 + qc1];
    let u0 = U${s}[m * P4 + pc0]; let u1 = U${s}[m * P4 + pc1];
${lines(8, (i) => `    a${i}_0 += u${i >> 2}.${component[i & 3]} * v0; a${i}_1 += u${i >> 2}.${component[i & 3]} * v1;`)}
  }
${lines(
  8,
  (i) => `  if (p0 + ${i}u < ${P}) {
    if (q0 < ${Q}) { C${s}[(p0 + ${i}u) * Q4 + q0 / 4u] = a${i}_0 * u.alpha${s}; }
    if (q0 + 4u < ${Q}) { C${s}[(p0 + ${i}u) * Q4 + q0 / 4u + 1u] = a${i}_1 * u.alpha${s}; }
  }`,
)}`
    : `${lines(t, (i) => `  let pc${i} = min(p0 + ${i}u, ${P} - 1u); let qc${i} = min(q0 + ${i}u, ${Q} - 1u);`)}
${lines(t, (i) =>
  range(t)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  for (var m = 0u; m < u.m; m++) {
${lines(t, (j) => `    let v${j} = V${s}[m * ${Q} + qc${j}];`)}
${lines(t, (i) => `    let u${i} = U${s}[m * ${P} + pc${i}];\n${lines(t, (j) => `    a${i}_${j} += u${i} * v${j};`)}`)}
  }
${lines(
  t,
  (i) => `  if (p0 + ${i}u < ${P}) {
${lines(t, (j) => `    if (q0 + ${j}u < ${Q}) { C${s}[(p0 + ${i}u) * ${Q} + q0 + ${j}u] = a${i}_${j} * u.alpha${s}; }`)}
  }`,
)}`
}
}`);
  });
  const tiles0 = (() => {
    const t = products[0]!.quads ? tile : tile / 2;
    return `((u.p0 + ${t - 1}u) / ${t}u) * ((u.q0 + ${t - 1}u) / ${t}u)`;
  })();
  const fields = products.map((_, s) => `p${s}: u32, q${s}: u32, alpha${s}: f32`).join(', ');
  return `struct Uniforms { m: u32, ${fields} }
${head.join('\n')}
@group(0) @binding(${binding}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${bodies.join('\n')}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  ${products.length === 1 ? 'product0(id);' : `let first = ${tiles0};\n  if (id < first) { product0(id); } else { product1(id - first); }`}
}`;
}

/** Threads that `tnShader` needs for one product. */
export function tnTiles(p: number, q: number, quads: boolean): number {
  const t = quads ? 8 : 4;
  return Math.ceil(p / t) * Math.ceil(q / t);
}
