/**
 * The same Llama in jax-js (https://jax-js.com, 0.1.25), as one would write it there: a whole step of full fine-tuning, with clipping
 * and AdamW, under one `jit`. Its arrays count references: a function takes over its arguments, and `ref` keeps one.
 */
import { getWebGPUDevice, init, type Array as JaxArray, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { randomValues, type Shape, tensorShape } from './random-llama';

type Values = Record<string, JaxArray>;

const EPSILON = 1e-5;
const NAMES = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
  'input_layernorm',
  'post_attention_layernorm',
];

const names = (s: Shape) => [
  'embed_tokens',
  'norm',
  ...Array.from({ length: s.layers }, (_, i) => NAMES.map((name) => `${i}.${name}`)).flat(),
];
const nameInModel = (name: string) => `model.${/^\d/.test(name) ? 'layers.' : ''}${name}.weight`;

/** Mean cross-entropy of every next token. Takes over `p`. */
function loss(p: Values, ids: JaxArray, s: Shape, batch: number, length: number): JaxArray {
  const headDim = s.hidden / s.heads;
  const half = headDim / 2;
  const rms = (x: JaxArray, w: JaxArray) => {
    const mean = np.mean(np.square(x.ref), -1, { keepdims: true });
    return x.mul(np.reciprocal(np.sqrt(mean.add(EPSILON)))).mul(w);
  };
  const linear = (x: JaxArray, w: JaxArray) => np.matmul(x, np.transpose(w));
  const angles = Float32Array.from(
    { length: length * half },
    (_, i) => Math.floor(i / half) / 10_000 ** ((2 * (i % half)) / headDim),
  );
  const table = (f: (angle: number) => number) => np.array(angles.map(f)).reshape([1, length, 1, half]);
  const rope = (x: JaxArray) => {
    const [low, high] = np.split(x, 2, -1) as [JaxArray, JaxArray];
    const [cos, sin] = [table(Math.cos), table(Math.sin)];
    const first = low.ref.mul(cos.ref).sub(high.ref.mul(sin.ref));
    return np.concatenate([first, high.mul(cos).add(low.mul(sin))], -1);
  };
  const heads = (x: JaxArray, n: number) => x.reshape([batch, length, n, headDim]);
  let x = np.take(p.embed_tokens!.ref, ids.ref, 0);
  for (let i = 0; i < s.layers; i++) {
    const w = (name: string) => p[`${i}.${name}`]!;
    const n = rms(x.ref, w('input_layernorm'));
    const q = rope(heads(linear(n.ref, w('self_attn.q_proj')), s.heads));
    const k = rope(heads(linear(n.ref, w('self_attn.k_proj')), s.kvHeads));
    const v = heads(linear(n, w('self_attn.v_proj')), s.kvHeads);
    const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, length, s.hidden]);
    x = x.add(linear(mixed, w('self_attn.o_proj')));
    const m = rms(x.ref, w('post_attention_layernorm'));
    const gate = nn.silu(linear(m.ref, w('mlp.gate_proj')));
    x = x.add(linear(gate.mul(linear(m, w('mlp.up_proj'))), w('mlp.down_proj')));
  }
  const logits = linear(rms(x, p.norm!), p.embed_tokens!);
  const scored = np.split(nn.logSoftmax(logits), [length - 1], 1);
  scored[1]!.dispose();
  const targets = np.split(ids, [1], 1);
  targets[0]!.dispose();
  return np.mean(scored[0]!.mul(nn.oneHot(targets[1]!, s.vocab)).sum(-1)).neg();
}

export async function createJaxStep(s: Shape, given: Int32Array, batch: number, length: number, rate: number) {
  await init('webgpu');
  const at = { device: 'webgpu' as const };
  const ids = np.array(given, { dtype: np.int32, ...at }).reshape([batch, length]);
  const values: Values = {};
  for (const name of names(s)) {
    const shape = tensorShape(name, s);
    values[name] = np.array(randomValues(nameInModel(name), shape) as Float32Array<ArrayBuffer>, at).reshape(shape);
  }
  const zeros = () => tree.map((x: JaxArray) => np.zeros(x.shape, at), values) as Values;
  let state = { p: values, m: zeros(), v: zeros() };

  const step = jit((p: Values, m: Values, v: Values, inputs: JaxArray, t: JaxArray) => {
    const [value, gradients] = valueAndGrad((q: Values) => loss(q, inputs, s, batch, length))(tree.ref(p)) as [
      JaxArray,
      Values,
    ];
    const squares = Object.values(gradients).map((g) => np.square(g.ref).sum());
    const norm = np.sqrt(squares.reduce((sum, one) => sum.add(one)));
    const factor = np.minimum(1, np.reciprocal(norm.add(1e-6)));
    const correction = (beta: number) => np.subtract(1, np.exp(t.ref.mul(Math.log(beta))));
    const [first, second] = [correction(0.9), correction(0.999)];
    const next = { p: {} as Values, m: {} as Values, v: {} as Values };
    for (const name of Object.keys(p)) {
      const g = gradients[name]!.mul(factor.ref);
      next.m[name] = m[name]!.mul(0.9).add(g.ref.mul(0.1));
      next.v[name] = v[name]!.mul(0.999).add(np.square(g).mul(0.001));
      const size = np.sqrt(next.v[name].ref.div(second.ref)).add(1e-8);
      next.p[name] = p[name]!.sub(next.m[name].ref.div(first.ref).div(size).mul(rate));
    }
    for (const x of [factor, first, second, t]) x.dispose();
    return { value, ...next };
  });

  let count = 0;
  return {
    async step(): Promise<number> {
      count++;
      const t = np.array(count, at);
      const { value, ...next } = step(state.p, state.m, state.v, ids.ref, t) as unknown as {
        value: JaxArray;
      } & typeof state;
      state = next;
      const [number] = await value.data();
      await getWebGPUDevice().queue.onSubmittedWorkDone();
      return number!;
    },
    dispose() {
      for (const part of Object.values(state)) tree.dispose(part);
      ids.dispose();
      step.dispose();
    },
  };
}
