/**
 * The same Llama LoRA training step with nothing but stock tfjs ops and tf.train.adam, as one would write it without custom
 * kernels. Weights are f32, because tfjs has no bf16.
 */
import * as tf from '@tensorflow/tfjs-core';
import { randomValues, type Shape, tensorShape } from './random-llama';

export interface StockBatch {
  ids: Int32Array;
  labels: Int32Array;
  batch: number;
  length: number;
}

export function createStockStep(
  s: Shape,
  lora: { r: number; alpha: number; values: Map<string, tf.Tensor> },
  lr: number,
) {
  const headDim = s.hidden / s.heads;
  const scale = lora.alpha / lora.r;
  const weight = (name: string) => tf.keep(tf.tensor(randomValues(name, tensorShape(name, s)), tensorShape(name, s)));
  const table = weight('model.embed_tokens.weight') as tf.Tensor2D;
  const names = [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
  ];
  const layers = Array.from({ length: s.layers }, (_, i) => {
    const at = `model.layers.${i}.`;
    return Object.fromEntries(names.map((n) => [n, { path: at + n, w: weight(`${at}${n}.weight`) as tf.Tensor2D }]));
  });
  const norm = tf.keep(tf.ones([s.hidden]));
  const variables = new Map<string, tf.Variable>();
  for (const [name, value] of lora.values) variables.set(name, tf.variable(value, true, `stock/${name}`));

  const half = headDim / 2;
  const frequencies = tf.keep(tf.tensor1d(Array.from({ length: half }, (_, i) => 1 / 10000 ** ((2 * i) / headDim))));
  const optimizer = tf.train.adam(lr);

  const rms = (x: tf.Tensor) => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5))), norm);
  const linear = ({ path, w }: { path: string; w: tf.Tensor2D }, x: tf.Tensor2D) => {
    const a = variables.get(`${path}.lora_A.weight`) as unknown as tf.Tensor2D;
    const b = variables.get(`${path}.lora_B.weight`) as unknown as tf.Tensor2D;
    const low = tf.matMul(tf.matMul(x, a, false, true), b, false, true);
    return tf.add(tf.matMul(x, w, false, true), tf.mul(low, scale)) as tf.Tensor2D;
  };

  const loss = ({ ids, labels, batch, length }: StockBatch): tf.Scalar => {
    const angles = tf.outerProduct(tf.range(0, length), frequencies as tf.Tensor1D);
    const cos = tf.concat([tf.cos(angles), tf.cos(angles)], -1);
    const sin = tf.concat([tf.sin(angles), tf.sin(angles)], -1);
    const rope = (x: tf.Tensor4D) => {
      const [low, high] = tf.split(x, 2, -1) as [tf.Tensor4D, tf.Tensor4D];
      return tf.add(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(high), low], -1), sin)) as tf.Tensor4D;
    };
    const heads = (x: tf.Tensor2D, n: number) =>
      tf.transpose(tf.reshape(x, [batch, length, n, headDim]), [0, 2, 1, 3]) as tf.Tensor4D;
    const mask = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)), -1e9);
    let x = tf.gather(table, tf.tensor1d(ids, 'int32')) as tf.Tensor2D;
    for (const layer of layers) {
      const n = rms(x) as tf.Tensor2D;
      const q = rope(heads(linear(layer['self_attn.q_proj']!, n), s.heads));
      const k = rope(heads(linear(layer['self_attn.k_proj']!, n), s.kvHeads));
      const v = heads(linear(layer['self_attn.v_proj']!, n), s.kvHeads);
      const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim)), mask);
      const mixed = tf.matMul(tf.softmax(scores) as tf.Tensor4D, v);
      const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch * length, s.hidden]) as tf.Tensor2D;
      x = tf.add(x, linear(layer['self_attn.o_proj']!, joined));
      const m = rms(x) as tf.Tensor2D;
      const gate = linear(layer['mlp.gate_proj']!, m);
      const inner = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(layer['mlp.up_proj']!, m)) as tf.Tensor2D;
      x = tf.add(x, linear(layer['mlp.down_proj']!, inner));
    }
    const logits = tf.matMul(rms(x) as tf.Tensor2D, table, false, true);
    const targets: number[] = [];
    const weights: number[] = [];
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < length; t++) {
        const label = t + 1 < length ? labels[b * length + t + 1]! : -100;
        targets.push(Math.max(0, label));
        weights.push(label < 0 ? 0 : 1);
      }
    }
    const count = weights.reduce((a, b) => a + b, 0);
    const logp = tf.logSoftmax(logits);
    const picked = tf.sum(tf.mul(logp, tf.oneHot(tf.tensor1d(targets, 'int32'), s.vocab)), -1);
    return tf.div(tf.neg(tf.sum(tf.mul(picked, tf.tensor1d(weights)))), count) as tf.Scalar;
  };

  const list = [...variables.values()];
  return {
    /** One step with global-norm clipping at 1; returns the loss. */
    async step(batch: StockBatch): Promise<number> {
      const value = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(batch), list);
        const norm = tf.sqrt(tf.sum(tf.stack(Object.values(grads).map((g) => tf.sum(tf.square(g))))));
        const factor = tf.minimum(1, tf.div(1, tf.add(norm, 1e-6)));
        optimizer.applyGradients(Object.fromEntries(Object.entries(grads).map(([n, g]) => [n, tf.mul(g, factor)])));
        return tf.keep(value.clone());
      });
      const [number] = await value.data();
      value.dispose();
      return number!;
    },
    dispose() {
      tf.dispose([table, norm, frequencies, ...list, ...layers.flatMap((l) => Object.values(l).map(({ w }) => w))]);
      optimizer.dispose();
    },
  };
}
