/**
 * GPT-NeoX (Black et al., 2022; Pythia), after transformers' modeling_gpt_neox.py: LayerNorm, one projection for
 * queries, keys and values, interleaved by head, rotary positions on the first part of a head, and attention and
 * feed-forward in parallel on the same input, unless the config makes them sequential.
 *
 *   x = embed_in(ids)                                              [B·T, d]
 *   x = x + attention.dense(attention(rope(q), rope(k), v)) + mlp  per layer
 *   mlp = dense_4h_to_h(gelu(dense_h_to_4h))                       on LayerNorm(x), of the layer's input when parallel
 *   LayerNorm(x) -> embed_out
 */
import type * as tf from '@tensorflow/tfjs-core';
import { gptNeox } from '../../families/gpt-neox';
import { attention } from '../kernels/attention/attention';
import { embedding } from '../kernels/moves/embedding';
import { byTurns, splitColumns } from '../kernels/moves/split-columns';
import type { Hooks, LinearModule, SublayerPlace } from '../types';
import { languageModel } from './backbone';
import type { LanguageModel, ModelInput } from './model';
import { activate, callsWith, loadNorm, loadOutput, type NormWeights, normalize, runBlocks } from './module-calls';
import { createRotary } from './rope';
import { attended, virtualTokens } from './virtual-tokens';
import type { Loader } from './weights';

interface Block {
  inputNorm: NormWeights;
  qkv: LinearModule;
  out: LinearModule;
  mlpNorm: NormWeights;
  up: LinearModule;
  down: LinearModule;
}

export async function loadGptNeox(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = gptNeox.readConfig(json);
  const d = c.hidden_size;
  const ff = c.intermediate_size;
  const norm = (path: string) => loadNorm(load, path, d);

  const table = await load.matrix('gpt_neox.embed_in.weight', [c.vocab_size, d]);
  const blocks: Block[] = [];
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const at = `gpt_neox.layers.${i}`;
    blocks.push({
      inputNorm: await norm(`${at}.input_layernorm`),
      qkv: await load.linear(`${at}.attention.query_key_value`, 3 * d, d, { bias: c.attention_bias }),
      out: await load.linear(`${at}.attention.dense`, d, d, { bias: c.attention_bias }),
      mlpNorm: await norm(`${at}.post_attention_layernorm`),
      up: await load.linear(`${at}.mlp.dense_h_to_4h`, ff, d, { bias: true }),
      down: await load.linear(`${at}.mlp.dense_4h_to_h`, d, ff, { bias: true }),
    });
  }
  const finalNorm = await norm('gpt_neox.final_layer_norm');
  const output = c.tie_word_embeddings ? table : await loadOutput(load, 'embed_out.weight', c.vocab_size, d);
  const rotary = createRotary(load, c.rope, c.head_dim, c.max_position_embeddings);

  const turns = byTurns(3, c.num_attention_heads, c.head_dim);
  const eps = c.layer_norm_eps;
  const blockPaths = blocks.map((_, layer) => `gpt_neox.layers.${layer}`);
  const hidden = (input: ModelInput, hooks: Hooks): tf.Tensor => {
    const calls = callsWith(hooks, c.dropout, input);
    const virtual = virtualTokens(input, hooks);
    const block = (layer: number, before: tf.Tensor, beside: tf.Tensor[]): tf.Tensor => {
      const own = virtual.layerInput(beside);
      const { batch, length, visible } = own;
      const b = blocks[layer]!;
      const at = { block: blockPaths[layer]!, index: layer };
      const second: SublayerPlace = { ...at, part: 'feed_forward', ...(c.use_parallel_residual && { parallel: true }) };
      const normed = normalize(calls, before, b.inputNorm, eps);
      const parts = splitColumns(calls.linear(b.qkv, normed), turns) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const { q, k: keys, v: values, keyLength, causal } = attended(own, layer, parts, rotary, virtual.reach);
      const mixed = attention(q, keys, values, visible, {
        batch,
        queryLength: length,
        keyLength,
        heads: c.num_attention_heads,
        kvHeads: c.num_attention_heads,
        headDim: c.head_dim,
        scale: 1 / Math.sqrt(c.head_dim),
        causal,
        ...calls.dropAttention(layer),
      });
      const x = calls.joinLinear({ ...at, part: 'attention' }, b.out, mixed, before);
      const source = c.use_parallel_residual ? before : x;
      const inner = normalize(calls, source, b.mlpNorm, eps);
      const fed = activate(calls.linear(b.up, inner), c.activation);
      return calls.joinLinear(second, b.down, fed, x);
    };
    const embedded = virtual.enter(calls.tokens(input, table));
    const x = runBlocks(hooks, blockPaths, calls.dropEmbeddings(embedded), block, virtual.beside);
    return virtual.leave(normalize(calls, x, finalNorm, eps));
  };

  return languageModel(c, load, {
    kind: 'decoder',
    ...(c.use_parallel_residual && { parallel: true }),
    blockPaths,
    linears: blocks.flatMap((b) => [b.qkv, b.out, b.up, b.down]),
    attentionHeads: { query: c.num_attention_heads, keyValue: c.num_attention_heads },
    keyValueWidth: d,
    lm: output && { weight: output, bias: null, softcap: null, transform: null },
    wordEmbeddings: (ids) => embedding(ids, table),
    hidden,
  });
}
