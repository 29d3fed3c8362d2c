/**
 * GPT-2 (Radford et al., 2019), after transformers' modeling_gpt2.py: pre-norm blocks with LayerNorm, learned
 * positions, one projection for queries, keys and values, and a tanh GELU. Its linears are Conv1D, transposed to [out,
 * in] when loaded.
 *
 *   x = wte(ids) + wpe(positions)                    [B·T, d]
 *   x = x + attn.c_proj(attention(attn.c_attn))      per block, on LayerNorm(x)
 *   x = x + mlp.c_proj(gelu(mlp.c_fc))               on LayerNorm(x)
 *   LayerNorm(x) -> lm_head, which usually is wte
 */
import * as tf from '@tensorflow/tfjs-core';
import { gpt2 } from '../../families/gpt2';
import { attention } from '../kernels/attention/attention';
import { embedding } from '../kernels/moves/embedding';
import { sideBySide, splitColumns } from '../kernels/moves/split-columns';
import type { Hooks, LinearModule, SublayerPlace } from '../types';
import { languageModel } from './backbone';
import type { LanguageModel, ModelInput } from './model';
import { activate, callsWith, loadNorm, loadOutput, type NormWeights, normalize, runBlocks } from './module-calls';
import { keysAndValues, virtualTokens } from './virtual-tokens';
import type { Loader } from './weights';

interface Block {
  attentionNorm: NormWeights;
  qkv: LinearModule;
  out: LinearModule;
  mlpNorm: NormWeights;
  up: LinearModule;
  down: LinearModule;
}

export async function loadGpt2(json: Record<string, unknown>, load: Loader): Promise<LanguageModel> {
  const c = gpt2.readConfig(json);
  const d = c.hidden_size;
  const ff = c.intermediate_size;
  const norm = (path: string) => loadNorm(load, path, d);

  const words = await load.matrix('transformer.wte.weight', [c.vocab_size, d]);
  const places = await load.matrix('transformer.wpe.weight', [c.max_position_embeddings, d]);
  const blocks: Block[] = [];
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const at = `transformer.h.${i}`;
    blocks.push({
      attentionNorm: await norm(`${at}.ln_1`),
      qkv: await load.conv1d(`${at}.attn.c_attn`, d, 3 * d),
      out: await load.conv1d(`${at}.attn.c_proj`, d, d),
      mlpNorm: await norm(`${at}.ln_2`),
      up: await load.conv1d(`${at}.mlp.c_fc`, d, ff),
      down: await load.conv1d(`${at}.mlp.c_proj`, ff, d),
    });
  }
  const finalNorm = await norm('transformer.ln_f');
  const output = c.tie_word_embeddings ? words : await loadOutput(load, 'lm_head.weight', c.vocab_size, d);

  const thirds = sideBySide(d, d, d);
  const eps = c.layer_norm_epsilon;
  const blockPaths = blocks.map((_, layer) => `transformer.h.${layer}`);
  const hidden = (input: ModelInput, hooks: Hooks): tf.Tensor => {
    const calls = callsWith(hooks, c.dropout, input);
    const virtual = virtualTokens(input, hooks);
    const block = (layer: number, before: tf.Tensor, beside: tf.Tensor[]): tf.Tensor => {
      const own = virtual.layerInput(beside);
      const { batch, length, visible } = own;
      const b = blocks[layer]!;
      const place = (part: SublayerPlace['part']) => ({ block: blockPaths[layer]!, index: layer, part });
      const normed = normalize(calls, before, b.attentionNorm, eps);
      const [q, k, v] = splitColumns(calls.linear(b.qkv, normed), thirds) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const { k: keys, v: values, keyLength, causal } = keysAndValues(own, layer, k, v);
      const mixed = attention(q, keys, values, visible, {
        batch,
        queryLength: length,
        keyLength,
        heads: c.num_attention_heads,
        kvHeads: c.num_attention_heads,
        headDim: c.head_dim,
        scale:
          (c.scale_attn_weights ? 1 / Math.sqrt(c.head_dim) : 1) / (c.scale_attn_by_inverse_layer_idx ? layer + 1 : 1),
        causal,
        ...calls.dropAttention(layer),
      });
      const x = calls.joinLinear(place('attention'), b.out, mixed, before);
      const inner = normalize(calls, x, b.mlpNorm, eps);
      const fed = activate(calls.linear(b.up, inner), c.activation);
      return calls.joinLinear(place('feed_forward'), b.down, fed, x);
    };
    const embedded = tf.add(
      virtual.enter(calls.tokens(input, words)),
      embedding(virtual.input.positions, calls.weight(places)),
    );
    const x = runBlocks(hooks, blockPaths, calls.dropEmbeddings(embedded), block, virtual.beside);
    return virtual.leave(normalize(calls, x, finalNorm, eps));
  };

  return languageModel(c, load, {
    kind: 'decoder',
    blockPaths,
    linears: blocks.flatMap((b) => [b.qkv, b.out, b.up, b.down]),
    attentionHeads: { query: c.num_attention_heads, keyValue: c.num_attention_heads },
    keyValueWidth: d,
    lm: output && { weight: output, bias: null, softcap: null, transform: null },
    wordEmbeddings: (ids) => embedding(ids, words),
    hidden,
  });
}
