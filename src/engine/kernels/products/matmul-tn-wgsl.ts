/** WGSL for products over rows, TN: C[P,Q] = U[M,P]ᵀ · V[M,Q]. The other two are in matmul-wgsl.ts. */
import { type Binding, declared, lines, type NnVariant, nnParts, type TileParts, UNIFORMS } from './matmul-wgsl';
import type { Scheme, TnShape } from './scheme';

/**
 * C[P,Q] = alpha · Σ_m U[m,P] · V[m,Q]: several such products in one dispatch, each with its own sizes. With `add`, the
 * product is added to the contents of C. U and V may be columns of wider matrices. `shared` gives the name of an array that a
 * product uses too under its own, as U1.
 */
export function tnShader(products: TnShape[], shared: Record<string, string>, scheme: Scheme): string {
  const { list, fields, functions } = tnParts(products, shared, scheme);
  return `${scheme.directives}struct Uniforms { m: u32, ${fields} }
${declared(list)}
${scheme.memory}
${functions}
${scheme.entry}
  product(thread);
}`;
}

/**
 * Such products beside one of NN over the same rows, in one dispatch: they have few threads with long sums, which then run while
 * the others do. `shared` names the arrays of NN that these products read too, by their own names.
 */
export function inputAndWeightsShader(
  nn: NnVariant,
  products: TnShape[],
  shared: Record<string, string>,
  scheme: Scheme,
): string {
  return besideProducts(nnParts(nn, scheme), UNIFORMS, products, shared, scheme);
}

/** The same for any `inputTile`, with its uniforms. */
export function besideProducts(
  { list, functions, tile }: TileParts,
  uniforms: string,
  products: TnShape[],
  shared: Record<string, string>,
  scheme: Scheme,
): string {
  const tn = tnParts(products, shared, scheme);
  const { group } = scheme;
  return `${scheme.directives}struct Uniforms { ${uniforms}, ${tn.fields} }
${declared([...list, ...tn.list])}
${functions}
${scheme.memory}
${tile}
${tn.functions}
${scheme.entry}
  // Whole workgroups: none does both.
  let first = (threads() + ${group - 1}u) / ${group}u * ${group}u;
  if (thread < first) { product(thread); } else { inputTile(thread - first); }
}`;
}

function tnParts(products: TnShape[], shared: Record<string, string>, scheme: Scheme) {
  const list: Binding[] = [];
  const declare = (access: string, name: string, type: string) => {
    if (!shared[name]) list.push({ access, name, type });
    return shared[name] ?? name;
  };
  // Products of the same arrays share the code.
  const bodies = new Map<string, { name: string; code: string }>();
  const calls = products.map((shape, s) => {
    const type = shape.quads ? 'vec4f' : 'f32';
    const arrays = [
      declare('read', `U${s}`, type),
      declare('read', `V${s}`, type),
      declare('read_write', `C${s}`, type),
    ] as const;
    const key = JSON.stringify([arrays, shape]);
    if (!bodies.has(key)) {
      const name = `product${bodies.size}`;
      bodies.set(key, { name, code: scheme.tn.body(name, shape, arrays) });
    }
    const sizes = ['p', 'q', 'us', 'ua', 'vs', 'va', 'at', 'alpha'].map((field) => `u.${field}${s}`);
    return `${bodies.get(key)!.name}(id, ${sizes.join(', ')});`;
  });
  const threadsOf = (s: number) => {
    const [p, q] = scheme.tn.size(products[s]!);
    return `${scheme.lanes}u * ((u.p${s} + ${p - 1}u) / ${p}u) * ((u.q${s} + ${q - 1}u) / ${q}u)`;
  };
  const last = products.length - 1;
  const product = `fn threads() -> u32 { return ${products.map((_, s) => threadsOf(s)).join(' + ')}; }
fn product(thread: u32) {
  var id = thread;
${lines(last, (s) => `  let own${s} = ${threadsOf(s)};\n  if (id < own${s}) { ${calls[s]} return; }\n  id -= own${s};`)}
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

/** Threads, or workgroups, of one product. */
export function tnThreads(p: number, q: number, shape: TnShape, { lanes, tn }: Scheme): number {
  const [rows, columns] = tn.size(shape);
  return lanes * Math.ceil(p / rows) * Math.ceil(q / columns);
}
