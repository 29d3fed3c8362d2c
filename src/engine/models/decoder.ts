/**
 * The parts of decoder families: norms, attention, GLU feed-forwards, the two kinds of block, and the model around
 * them. A family's file chooses among them and sets them; module paths are Hugging Face's.
 *
 *   x = embed(ids)                                       [B·T, d]
 *   x = x + o_proj(attention(rope(q), rope(k), v))       per layer, on norm(x)
 *   x = x + down_proj(activation(gate_proj) · up_proj)   on norm(x)
 *   norm(x) -> lm_head
 */
import * as tf from '@tensorflow/tfjs-core';
import type { DecoderConfig } from '../../families/decoder';
import { attention } from '../kernels/attention/attention';
import { embedding } from '../kernels/moves/embedding';
import { sideBySide, splitColumns } from '../kernels/moves/split-columns';
import { rmsNorm } from '../kernels/norms/rms-norm';
import { type GluActivation, glu } from '../kernels/pointwise/glu';
import type { Hooks, LinearModule, SublayerPlace } from '../types';
import { languageModel } from './backbone';
import type { LanguageModel, ModelInput } from './model';
import { type Calls, callsWith, loadOutput, type Norm, runBlocks } from './module-calls';
import type { Rotary } from './rope';
import { attended, type LayerInput, type VirtualTokens, virtualTokens } from './virtual-tokens';
import type { Loader } from './weights';

/** One call of the model, as its layers see it. */
export interface Pass extends Pick<VirtualTokens, 'reach'> {
  input: LayerInput;
  calls: Calls;
}

/** Attention or a feed-forward: its linears in the order of execution, and its forward pass. */
export interface Part {
  linears: LinearModule[];
  /** norm(x) [B·T, d] -> [B·T, d]; `residual` is added to the result. */
  run(x: tf.Tensor, norm: Norm, pass: Pass, residual?: tf.Tensor): tf.Tensor;
}

/** Loads the norm at a path. */
export type LoadNorm = (path: string, size: number) => Promise<Norm>;

/** RMSNorms; with `offset` 1 they multiply by 1 + weight, as Gemma's. */
export function rmsNorms(load: Loader, eps: number, offset = 0): LoadNorm {
  return async (path, size) => {
    const stored = await load.vector(`${path}.weight`, size);
    const base = offset === 0 ? stored : load.own(tf.add(stored, offset));
    const weightOf = (calls: Calls) => {
      const weight = calls.vector(stored);
      if (weight === stored) return base;
      return offset === 0 ? weight : tf.add(weight, offset);
    };
    const norm = (x: tf.Tensor, calls: Calls) => rmsNorm(x, weightOf(calls), eps);
    return Object.assign(norm, { rms: (calls: Calls) => ({ weight: weightOf(calls), eps }) });
  };
}

/** The same of a whole block, whose norms are its own. */
export interface Block {
  linears: LinearModule[];
  run(x: tf.Tensor, pass: Pass): tf.Tensor;
}

export interface AttentionSettings {
  bias?: { qkv: boolean; o: boolean };
  /** One linear `qkv_proj` for queries, keys and values. */
  fused?: boolean;
  /** Norms `q_norm` and `k_norm` over each head. */
  headNorm?: LoadNorm;
  /** Null: this layer has no positions, only the causal order. */
  rotary: Rotary | null;
  window?: number | null;
  softcap?: number | null;
  /** Of the scores; 1/√headDim when left out. */
  scale?: number;
}

export async function selfAttention(
  load: Loader,
  c: DecoderConfig,
  layer: number,
  settings: AttentionSettings,
): Promise<Part> {
  const at = `model.layers.${layer}.self_attn`;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, hidden_size: d } = c;
  const { bias = { qkv: false, o: false }, rotary, window = null, softcap = null } = settings;
  const widths = [heads * headDim, kvHeads * headDim, kvHeads * headDim] as const;
  const inputs = settings.fused
    ? [await load.linear(`${at}.qkv_proj`, widths[0] + 2 * widths[1], d, { bias: bias.qkv })]
    : await load.linears(
        [
          [`${at}.q_proj`, widths[0]],
          [`${at}.k_proj`, widths[1]],
          [`${at}.v_proj`, widths[2]],
        ],
        d,
        {
          bias: bias.qkv,
        },
      );
  const output = await load.linear(`${at}.o_proj`, d, widths[0], { bias: bias.o });
  const qNorm = await settings.headNorm?.(`${at}.q_norm`, headDim);
  const kNorm = await settings.headNorm?.(`${at}.k_norm`, headDim);
  const parts = sideBySide(...widths);
  const byHead = (norm: Norm | undefined, x: tf.Tensor, calls: Calls) =>
    norm ? tf.reshape(norm(tf.reshape(x, [-1, headDim]), calls), x.shape) : x;
  const place = { block: `model.layers.${layer}`, index: layer, part: 'attention' } as const;

  return {
    linears: [...inputs, output],
    run(x, norm, { input, calls, reach }, residual) {
      const { batch, length, visible } = input;
      const projected = calls.linears(inputs, x, norm);
      const [q, k, v] = settings.fused ? splitColumns(projected[0]!, parts) : projected;
      const normed: [tf.Tensor, tf.Tensor] = [byHead(qNorm, q!, calls), byHead(kNorm, k!, calls)];
      const {
        q: query,
        k: keys,
        v: values,
        keyLength,
        causal,
      } = attended(input, layer, [...normed, v!], rotary, reach);
      const mixed = attention(query, keys, values, visible, {
        batch,
        queryLength: length,
        keyLength,
        heads,
        kvHeads,
        headDim,
        scale: settings.scale ?? 1 / Math.sqrt(headDim),
        window,
        softcap,
        causal,
        ...calls.dropAttention(layer),
      });
      return residual ? calls.joinLinear(place, output, mixed, residual) : calls.linear(output, mixed);
    },
  };
}

export interface FeedForwardSettings {
  activation: GluActivation;
  bias?: boolean;
  /** One linear `gate_up_proj` for both. */
  fused?: boolean;
}

export async function gluFeedForward(
  load: Loader,
  c: DecoderConfig,
  layer: number,
  { activation, bias = false, fused = false }: FeedForwardSettings,
): Promise<Part> {
  const at = `model.layers.${layer}.mlp`;
  const { hidden_size: d, intermediate_size: ff } = c;
  const inputs = fused
    ? [await load.linear(`${at}.gate_up_proj`, 2 * ff, d, { bias })]
    : await load.linears(
        [
          [`${at}.gate_proj`, ff],
          [`${at}.up_proj`, ff],
        ],
        d,
        { bias },
      );
  const down = await load.linear(`${at}.down_proj`, d, ff, { bias });
  const parts = sideBySide(ff, ff);
  const place = { block: `model.layers.${layer}`, index: layer, part: 'feed_forward' } as const;
  return {
    linears: [...inputs, down],
    run(x, norm, { calls }, residual) {
      const both = () => splitColumns(calls.linears(inputs, x, norm)[0]!, parts) as [tf.Tensor, tf.Tensor];
      const inner = fused ? glu(...both(), activation) : calls.gated(inputs, x, activation, norm);
      return residual ? calls.joinLinear(place, down, inner, residual) : calls.linear(down, inner);
    },
  };
}

/** Llama's block: each half runs on a norm of its input and is added to that input. */
export async function preNormBlock(
  c: DecoderConfig,
  layer: number,
  norm: LoadNorm,
  attend: Part,
  feedForward: Part,
): Promise<Block> {
  const at = `model.layers.${layer}`;
  const inputNorm = await norm(`${at}.input_layernorm`, c.hidden_size);
  const postNorm = await norm(`${at}.post_attention_layernorm`, c.hidden_size);
  return {
    linears: [...attend.linears, ...feedForward.linears],
    run(before, pass) {
      const x = attend.run(before, inputNorm, pass, before);
      return feedForward.run(x, postNorm, pass, x);
    },
  };
}

/** Gemma 2's block: as Llama's, but the result of each half has its own norm before it is added. */
export async function sandwichBlock(
  c: DecoderConfig,
  layer: number,
  norm: LoadNorm,
  attend: Part,
  feedForward: Part,
): Promise<Block> {
  const at = `model.layers.${layer}`;
  const inputNorm = await norm(`${at}.input_layernorm`, c.hidden_size);
  const attendedNorm = await norm(`${at}.post_attention_layernorm`, c.hidden_size);
  const innerNorm = await norm(`${at}.pre_feedforward_layernorm`, c.hidden_size);
  const outerNorm = await norm(`${at}.post_feedforward_layernorm`, c.hidden_size);
  return {
    linears: [...attend.linears, ...feedForward.linears],
    run(before, pass) {
      const { calls } = pass;
      const place = (part: SublayerPlace['part']): SublayerPlace => ({ block: at, index: layer, part });
      const attended = attend.run(before, inputNorm, pass);
      const x = calls.join(place('attention'), attended, before, undefined, (y) => attendedNorm(y, calls));
      const fed = feedForward.run(x, innerNorm, pass);
      return calls.join(place('feed_forward'), fed, x, undefined, (y) => outerNorm(y, calls));
    },
  };
}

export interface DecoderParts {
  norm: LoadNorm;
  block(layer: number): Promise<Block>;
  /** Multiplies the embeddings. */
  embeddingScale?: number;
  /** Of the logits. */
  softcap?: number | null;
}

/** Loads table, blocks, last norm and output projection, in this order. */
export async function loadDecoder(c: DecoderConfig, load: Loader, parts: DecoderParts): Promise<LanguageModel> {
  const { embeddingScale = 1, softcap = null } = parts;
  const d = c.hidden_size;
  const table = await load.matrix('model.embed_tokens.weight', [c.vocab_size, d]);
  const blocks: Block[] = [];
  for (let i = 0; i < c.num_hidden_layers; i++) blocks.push(await parts.block(i));
  const lastNorm = await parts.norm('model.norm', d);
  // A tied checkpoint may still carry a copy of the table as lm_head.weight; transformers ignores it too.
  const output = c.tie_word_embeddings ? table : await loadOutput(load, 'lm_head.weight', c.vocab_size, d);

  const blockPaths = blocks.map((_, layer) => `model.layers.${layer}`);
  const scaled = (x: tf.Tensor) => (embeddingScale === 1 ? x : tf.mul(x, embeddingScale));
  const hidden = (input: ModelInput, hooks: Hooks): tf.Tensor => {
    const calls = callsWith(hooks, c.dropout, input);
    const virtual = virtualTokens(input, hooks);
    let x = calls.dropEmbeddings(virtual.enter(scaled(calls.tokens(input, table))));
    const block = (layer: number, before: tf.Tensor, beside: tf.Tensor[]) =>
      blocks[layer]!.run(before, { input: virtual.layerInput(beside), reach: virtual.reach, calls });
    x = runBlocks(hooks, blockPaths, x, block, virtual.beside);
    return virtual.leave(lastNorm(x, calls));
  };

  return languageModel(c, load, {
    kind: 'decoder',
    blockPaths,
    linears: blocks.flatMap(({ linears }) => linears),
    attentionHeads: { query: c.num_attention_heads, keyValue: c.num_key_value_heads },
    keyValueWidth: c.num_key_value_heads * c.head_dim,
    lm: output && { weight: output, bias: null, softcap, transform: null },
    wordEmbeddings: (ids) => scaled(embedding(ids, table)),
    hidden,
  });
}
