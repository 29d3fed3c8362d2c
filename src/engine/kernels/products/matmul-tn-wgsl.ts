/** WGSL for products over rows, TN: C[P,Q] = U[M,P]ᵀ · V[M,Q]. The other two are in matmul-wgsl.ts. */
import {
  type Binding,
  declared,
  ENTRY,
  GLOBAL_INDEX,
  lines,
  type NnVariant,
  nnParts,
  range,
  UNIFORMS,
} from './matmul-wgsl';

/**
 * C[P,Q] = alpha · Σ_m U[m,P] · V[m,Q]: one or two such products in one dispatch, each with its own sizes. With `add`, the
 * product is added to the contents of C.
 */
export function tnShader(products: TnShape[], shared: Record<string, string>): string {
  const { list, fields, functions } = tnParts(products, shared);
  return `struct Uniforms { m: u32, ${fields} }
${declared(list)}
${GLOBAL_INDEX}
${functions}
${ENTRY} { product(globalIndex(wg, local, groups)); }`;
}

export interface TnShape {
  quads: boolean;
  add?: true;
}

/**
 * Such products beside one of NN over the same rows, in one dispatch: they have few threads with long sums, which then run while
 * the others do. `shared` names the arrays of NN that these products read too, by their own names.
 */
export function inputAndWeightsShader(nn: NnVariant, products: TnShape[], shared: Record<string, string>): string {
  const { list, functions, tile } = nnParts(nn);
  const tn = tnParts(products, shared);
  return `struct Uniforms { ${UNIFORMS}, ${tn.fields} }
${declared([...list, ...tn.list])}
${GLOBAL_INDEX}
${functions}
${tile}
${tn.functions}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  // Whole workgroups: none does both.
  let first = (tiles() + 63u) / 64u * 64u;
  if (id < first) { product(id); } else { inputTile(id - first); }
}`;
}

function tnParts(products: TnShape[], shared: Record<string, string>) {
  const list: Binding[] = [];
  const declare = (access: string, name: string, type: string) => {
    if (!shared[name]) list.push({ access, name, type });
    return shared[name] ?? name;
  };
  const bodies: string[] = [];
  const tile = 8;
  products.forEach(({ quads, add }, s) => {
    const plus = add ? '+=' : '=';
    const type = quads ? 'vec4f' : 'f32';
    const [U, V, C] = [
      declare('read', `U${s}`, type),
      declare('read', `V${s}`, type),
      declare('read_write', `C${s}`, type),
    ];
    const [P, Q] = [`u.p${s}`, `u.q${s}`];
    const t = quads ? tile : tile / 2;
    const component = ['x', 'y', 'z', 'w'];
    bodies.push(`fn product${s}(id: u32) {
  let tilesQ = (${Q} + ${t - 1}u) / ${t}u;
  let p0 = id / tilesQ * ${t}u;
  let q0 = id % tilesQ * ${t}u;
  if (p0 >= ${P}) { return; }
  let at = u.at${s}${quads ? ' / 4u' : ''};
${
  quads
    ? `  let P4 = ${P} / 4u; let Q4 = ${Q} / 4u;
${lines(2, (i) => `  let pc${i} = min(p0 / 4u + ${i}u, P4 - 1u); let qc${i} = min(q0 / 4u + ${i}u, Q4 - 1u);`)}
${lines(8, (i) => `  var a${i}_0 = vec4f(0.0); var a${i}_1 = vec4f(0.0);`)}
  for (var m = 0u; m < u.m; m++) {
    let v0 = ${V}[m * Q4 + qc0]; let v1 = ${V}[m * Q4 + qc1];
    let u0 = ${U}[m * P4 + pc0]; let u1 = ${U}[m * P4 + pc1];
${lines(8, (i) => `    a${i}_0 += u${i >> 2}.${component[i & 3]} * v0; a${i}_1 += u${i >> 2}.${component[i & 3]} * v1;`)}
  }
${lines(
  8,
  (i) => `  if (p0 + ${i}u < ${P}) {
    if (q0 < ${Q}) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u] ${plus} a${i}_0 * u.alpha${s}; }
    if (q0 + 4u < ${Q}) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u + 1u] ${plus} a${i}_1 * u.alpha${s}; }
  }`,
)}`
    : `${lines(t, (i) => `  let pc${i} = min(p0 + ${i}u, ${P} - 1u); let qc${i} = min(q0 + ${i}u, ${Q} - 1u);`)}
${lines(t, (i) =>
  range(t)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  for (var m = 0u; m < u.m; m++) {
${lines(t, (j) => `    let v${j} = ${V}[m * ${Q} + qc${j}];`)}
${lines(t, (i) => `    let u${i} = ${U}[m * ${P} + pc${i}];\n${lines(t, (j) => `    a${i}_${j} += u${i} * v${j};`)}`)}
  }
${lines(
  t,
  (i) => `  if (p0 + ${i}u < ${P}) {
${lines(t, (j) => `    if (q0 + ${j}u < ${Q}) { ${C}[at + (p0 + ${i}u) * ${Q} + q0 + ${j}u] ${plus} a${i}_${j} * u.alpha${s}; }`)}
  }`,
)}`
}
}`);
  });
  const tilesOf = (s: number) => {
    const t = products[s]!.quads ? tile : tile / 2;
    return `((u.p${s} + ${t - 1}u) / ${t}u) * ((u.q${s} + ${t - 1}u) / ${t}u)`;
  };
  bodies.push(`fn tiles() -> u32 { return ${products.map((_, s) => tilesOf(s)).join(' + ')}; }
fn product(id: u32) {
  ${products.length === 1 ? 'product0(id);' : `let first = ${tilesOf(0)};\n  if (id < first) { product0(id); } else { product1(id - first); }`}
}`);
  const fields = products.map((_, s) => `p${s}: u32, q${s}: u32, alpha${s}: f32, at${s}: u32`).join(', ');
  return { list, fields, functions: bodies.join('\n') };
}

/** Threads that `tnShader` needs for one product. */
export function tnTiles(p: number, q: number, quads: boolean): number {
  const t = quads ? 8 : 4;
  return Math.ceil(p / t) * Math.ceil(q / t);
}
