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
 * C[P,Q] = alpha · Σ_m U[m,P] · V[m,Q]: several such products in one dispatch, each with its own sizes. With `add`, the
 * product is added to the contents of C. U and V may be columns of wider matrices. `shared` gives the name of an array that a
 * product uses too under its own, as U1.
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
  return besideProducts(nnParts(nn), UNIFORMS, products, shared);
}

/** The same for any `inputTile`, with its uniforms. */
export function besideProducts(
  { list, functions, tile }: { list: Binding[]; functions: string; tile: string },
  uniforms: string,
  products: TnShape[],
  shared: Record<string, string>,
): string {
  const tn = tnParts(products, shared);
  return `struct Uniforms { ${uniforms}, ${tn.fields} }
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
  // Products of the same arrays share the code.
  const bodies = new Map<string, { name: string; code: string }>();
  const calls = products.map(({ quads, add }, s) => {
    const type = quads ? 'vec4f' : 'f32';
    const arrays = [
      declare('read', `U${s}`, type),
      declare('read', `V${s}`, type),
      declare('read_write', `C${s}`, type),
    ] as const;
    const key = JSON.stringify([arrays, quads, add]);
    if (!bodies.has(key)) {
      const name = `product${bodies.size}`;
      bodies.set(key, { name, code: tnBody(name, quads, add ? '+=' : '=', arrays) });
    }
    const sizes = ['p', 'q', 'us', 'ua', 'vs', 'va', 'at', 'alpha'].map((field) => `u.${field}${s}`);
    return `${bodies.get(key)!.name}(id, ${sizes.join(', ')});`;
  });
  const tilesOf = (s: number) => {
    const t = products[s]!.quads ? TILE : TILE / 2;
    return `((u.p${s} + ${t - 1}u) / ${t}u) * ((u.q${s} + ${t - 1}u) / ${t}u)`;
  };
  const last = products.length - 1;
  const product = `fn tiles() -> u32 { return ${products.map((_, s) => tilesOf(s)).join(' + ')}; }
fn product(thread: u32) {
  var id = thread;
${lines(last, (s) => `  let tiles${s} = ${tilesOf(s)};\n  if (id < tiles${s}) { ${calls[s]} return; }\n  id -= tiles${s};`)}
  ${calls[last]}
}`;
  const fields = products.map((_, s) =>
    ['p', 'q', 'us', 'ua', 'vs', 'va', 'at'].map((field) => `${field}${s}: u32`).concat(`alpha${s}: f32`),
  );
  return {
    list,
    fields: fields.flat().join(', '),
    functions: [...bodies.values()]
      .map(({ code }) => code)
      .concat(product)
      .join('\n'),
  };
}

const TILE = 8;

/** A tile of a product; U's and V's rows are `US` and `VS` values long, of which those from `UA` and `VA` on are taken. */
function tnBody(name: string, quads: boolean, put: string, [U, V, C]: readonly [string, string, string]): string {
  const t = quads ? TILE : TILE / 2;
  const component = ['x', 'y', 'z', 'w'];
  const code = quads
    ? `  let P4 = P / 4u; let Q4 = Q / 4u;
${lines(2, (i) => `  let pc${i} = min(p0 / 4u + ${i}u, P4 - 1u) + UA / 4u; let qc${i} = min(q0 / 4u + ${i}u, Q4 - 1u) + VA / 4u;`)}
${lines(8, (i) => `  var a${i}_0 = vec4f(0.0); var a${i}_1 = vec4f(0.0);`)}
  let US4 = US / 4u; let VS4 = VS / 4u; let at = AT / 4u;
  for (var m = 0u; m < u.m; m++) {
    let v0 = ${V}[m * VS4 + qc0]; let v1 = ${V}[m * VS4 + qc1];
    let u0 = ${U}[m * US4 + pc0]; let u1 = ${U}[m * US4 + pc1];
${lines(8, (i) => `    a${i}_0 += u${i >> 2}.${component[i & 3]} * v0; a${i}_1 += u${i >> 2}.${component[i & 3]} * v1;`)}
  }
${lines(
  8,
  (i) => `  if (p0 + ${i}u < P) {
    if (q0 < Q) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u] ${put} a${i}_0 * alpha; }
    if (q0 + 4u < Q) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u + 1u] ${put} a${i}_1 * alpha; }
  }`,
)}`
    : `${lines(t, (i) => `  let pc${i} = min(p0 + ${i}u, P - 1u) + UA; let qc${i} = min(q0 + ${i}u, Q - 1u) + VA;`)}
${lines(t, (i) =>
  range(t)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  for (var m = 0u; m < u.m; m++) {
${lines(t, (j) => `    let v${j} = ${V}[m * VS + qc${j}];`)}
${lines(t, (i) => `    let u${i} = ${U}[m * US + pc${i}];\n${lines(t, (j) => `    a${i}_${j} += u${i} * v${j};`)}`)}
  }
${lines(
  t,
  (i) => `  if (p0 + ${i}u < P) {
${lines(t, (j) => `    if (q0 + ${j}u < Q) { ${C}[AT + (p0 + ${i}u) * Q + q0 + ${j}u] ${put} a${i}_${j} * alpha; }`)}
  }`,
)}`;
  return `fn ${name}(id: u32, P: u32, Q: u32, US: u32, UA: u32, VS: u32, VA: u32, AT: u32, alpha: f32) {
  let tilesQ = (Q + ${t - 1}u) / ${t}u;
  let p0 = id / tilesQ * ${t}u;
  let q0 = id % tilesQ * ${t}u;
  if (p0 >= P) { return; }
${code}
}`;
}

/** Threads that `tnShader` needs for one product. */
export function tnTiles(p: number, q: number, quads: boolean): number {
  const t = quads ? TILE : TILE / 2;
  return Math.ceil(p / t) * Math.ceil(q / t);
}
