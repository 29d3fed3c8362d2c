/**
 * The forward pass that BERT, RoBERTa and DistilBERT share (Vaswani et al., 2017; post-norm):
 *
 *   x = LayerNorm(words(ids) + positions + types)            [B·T, d]
 *   x = LayerNorm(x + attentionOutput(attention(q, k, v)))   per block; every token sees every other
 *   x = LayerNorm(x + down(activation(up(x))))
 *   LayerNorm(activation(dense(x))) -> projection + bias     if the checkpoint has the head
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../../families/activation';
import type { EncoderConfig, EncoderPaths } from '../../families/encoder';
import { attention } from '../kernels/attention/attention';
import { embedding } from '../kernels/moves/embedding';
import type { Hooks, LinearModule, SublayerPlace, Weight } from '../types';
import { languageModel } from './backbone';
import type { LanguageModel, LmHead, ModelInput } from './model';
import { activate, callsWith, loadNorm, type NormWeights, normalize, runBlocks } from './module-calls';
import { virtualTokens } from './virtual-tokens';
import type { Loader } from './weights';

interface Block {
  /** Query, key and value. */
  inputs: LinearModule[];
  attentionOutput: LinearModule;
  attentionNorm: NormWeights;
  up: LinearModule;
  down: LinearModule;
  outputNorm: NormWeights;
}

/** `headActivation`, if the family's head has a different one. */
export async function loadEncoder(
  c: EncoderConfig,
  paths: EncoderPaths,
  load: Loader,
  headActivation: ActivationName = c.activation,
): Promise<LanguageModel> {
  const d = c.hidden_size;
  const ff = c.intermediate_size;
  const norm = (path: string) => loadNorm(load, path, d);
  const linear = (path: string, out: number, width: number) => load.linear(path, out, width, { bias: true });
  const table = (name: string, rows: number) => load.matrix(`${paths.embeddings}.${name}.weight`, [rows, d]);

  const words = await table('word_embeddings', c.vocab_size);
  const places = await table('position_embeddings', c.position_offset + c.max_position_embeddings);
  const types = c.type_vocab_size > 0 ? await table('token_type_embeddings', c.type_vocab_size) : null;
  const embeddingNorm = await norm(`${paths.embeddings}.LayerNorm`);
  const offset = c.position_offset > 0 ? load.own(tf.scalar(c.position_offset, 'int32')) : null;
  const blocks: Block[] = [];
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const at = paths.block(i);
    blocks.push({
      inputs: await load.linears(
        [paths.query, paths.key, paths.value].map((path) => [`${at}.${path}`, d]),
        d,
        { bias: true },
      ),
      attentionOutput: await linear(`${at}.${paths.attentionOutput}`, d, d),
      attentionNorm: await norm(`${at}.${paths.attentionNorm}`),
      up: await linear(`${at}.${paths.up}`, ff, d),
      down: await linear(`${at}.${paths.down}`, d, ff),
      outputNorm: await norm(`${at}.${paths.outputNorm}`),
    });
  }
  const eps = c.layer_norm_eps;
  const head = await loadHead(c, paths, load, words, { activation: headActivation, norm, eps });

  const blockPaths = blocks.map((_, layer) => paths.block(layer));
  const hidden = (input: ModelInput, hooks: Hooks): tf.Tensor => {
    const calls = callsWith(hooks, c.dropout, input);
    const virtual = virtualTokens(input, hooks, { both: true });
    const kinds = virtual.input.kind === 'text' ? virtual.input.types : null;
    const block = (layer: number, before: tf.Tensor, beside: tf.Tensor[]): tf.Tensor => {
      const { batch, length, visible } = virtual.layerInput(beside);
      const b = blocks[layer]!;
      const place = (part: SublayerPlace['part']) => ({ block: blockPaths[layer]!, index: layer, part });
      const [q, k, v] = calls.linears(b.inputs, before);
      const mixed = attention(q!, k!, v!, visible, {
        batch,
        queryLength: length,
        keyLength: length,
        heads: c.num_attention_heads,
        kvHeads: c.num_attention_heads,
        headDim: c.head_dim,
        scale: 1 / Math.sqrt(c.head_dim),
        causal: false,
        ...calls.dropAttention(layer),
      });
      const attended = (sum: tf.Tensor) => normalize(calls, sum, b.attentionNorm, eps);
      const x = calls.joinLinear(place('attention'), b.attentionOutput, mixed, before, attended);
      const fed = activate(calls.linear(b.up, x), c.activation);
      return calls.joinLinear(place('feed_forward'), b.down, fed, x, (sum) => normalize(calls, sum, b.outputNorm, eps));
    };
    const positions = offset ? tf.add(virtual.input.positions, offset) : virtual.input.positions;
    let x = tf.add(virtual.enter(calls.tokens(input, words)), embedding(positions, calls.weight(places)));
    if (types) x = tf.add(x, embedding(kinds ?? tf.zerosLike(input.ids), calls.weight(types)));
    x = runBlocks(
      hooks,
      blockPaths,
      calls.dropEmbeddings(normalize(calls, x, embeddingNorm, eps)),
      block,
      virtual.beside,
    );
    return virtual.leave(x);
  };

  return languageModel(c, load, {
    kind: 'encoder',
    blockPaths,
    linears: [...blocks.flatMap((b) => [...b.inputs, b.attentionOutput, b.up, b.down]), ...(head ? [head.dense] : [])],
    attentionHeads: { query: c.num_attention_heads, keyValue: c.num_attention_heads },
    keyValueWidth: null,
    lm: head?.lm ?? null,
    idle: head?.idle ?? [],
    wordEmbeddings: (ids) => embedding(ids, words),
    hidden,
  });
}

/** Null if the checkpoint is the bare encoder. */
async function loadHead(
  c: EncoderConfig,
  { head: paths }: EncoderPaths,
  load: Loader,
  words: Weight,
  parts: {
    activation: ActivationName;
    norm(path: string): Promise<NormWeights>;
    eps: number;
  },
): Promise<{ lm: LmHead; dense: LinearModule; idle: string[] } | null> {
  if (!load.has(`${paths.dense}.weight`)) return null;
  const d = c.hidden_size;
  const dense = await load.linear(paths.dense, d, d, { bias: true });
  const norm = await parts.norm(paths.norm);
  const tied = c.tie_word_embeddings;
  const weight = tied ? words : await load.matrix(`${paths.projection}.weight`, [c.vocab_size, d]);
  // Untied, the projection has its own bias; tied, it has the head's, whatever else is in the file.
  const own = `${paths.projection}.bias`;
  const apart = !tied && own !== paths.bias && load.has(own);
  const bias = await load.vector(apart ? own : paths.bias, c.vocab_size);
  const idle = apart && load.has(paths.bias) ? [paths.bias] : [];
  for (const name of idle) await load.vector(name, c.vocab_size);
  const transform = (hidden: tf.Tensor, hooks: Hooks) => {
    const calls = callsWith(hooks, c.dropout);
    return normalize(calls, activate(calls.linear(dense, hidden), parts.activation), norm, parts.eps);
  };
  return { lm: { weight, bias, softcap: null, transform }, dense, idle };
}
