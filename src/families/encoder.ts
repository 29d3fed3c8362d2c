/**
 * What encoders share: post-norm blocks, learned positions, and a head for masked language modelling that a checkpoint may
 * lack. They differ in names, which `EncoderPaths` holds.
 */
import { type ActivationName, activationOf } from './activation';
import { choice, dimension, epsilon, evenHeads, flag, initializerRange, modelType, refuseFlag } from './config';
import { type DropoutSources, readDropout } from './dropout';
import type { FamilyConfig, TensorSpec } from './family';

export interface EncoderConfig extends FamilyConfig {
  num_attention_heads: number;
  head_dim: number;
  intermediate_size: number;
  activation: ActivationName;
  layer_norm_eps: number;
  /** Token types; 0 if the family has none. */
  type_vocab_size: number;
  /** Row of the position table for a text's first position. */
  position_offset: number;
  /** Precedes the encoder's paths in the class that the checkpoint was saved from: `bert.`, or nothing for BertModel. */
  prefix: string;
}

/** Hugging Face's module paths. Those of a block are under the block's own. */
export interface EncoderPaths {
  embeddings: string;
  block(layer: number): string;
  query: string;
  key: string;
  value: string;
  attentionOutput: string;
  attentionNorm: string;
  up: string;
  down: string;
  outputNorm: string;
  /** The head: dense, activation, norm; then the projection, which is the embedding when tied, and its bias. */
  head: { dense: string; norm: string; projection: string; bias: string };
}

/** The usual field names; a family with others passes its own. */
const FIELDS = {
  hidden_size: 'hidden_size',
  num_hidden_layers: 'num_hidden_layers',
  num_attention_heads: 'num_attention_heads',
  intermediate_size: 'intermediate_size',
  hidden_act: 'hidden_act',
};

type Json = Record<string, unknown>;

export interface EncoderDefaults {
  prefix: string;
  /** The class without a head. */
  bare: string;
  vocab_size: number;
  layers: number;
  dropout?: DropoutSources;
}

const DROPOUT: DropoutSources = {
  embeddings: ['hidden_dropout_prob', 0.1],
  attention: ['attention_probs_dropout_prob', 0.1],
  residual: ['hidden_dropout_prob', 0.1],
  classifier: ['classifier_dropout', 'hidden_dropout_prob', 0.1],
  tokenClassifier: ['classifier_dropout', 'hidden_dropout_prob', 0.1],
};

/** The fields that encoders share; their defaults are the same but for those that are passed. */
export function readEncoder(
  json: Json,
  defaults: EncoderDefaults,
  names: Partial<typeof FIELDS> = {},
): Omit<EncoderConfig, 'layer_norm_eps' | 'type_vocab_size' | 'position_offset'> {
  const field = { ...FIELDS, ...names };
  const hidden_size = dimension(json, field.hidden_size, 768, 'hidden_size');
  choice(json, 'position_embedding_type', ['absolute'], 'absolute');
  refuseFlag(json, 'is_decoder', 'An encoder that is used as a decoder');
  refuseFlag(json, 'add_cross_attention', 'Attention to another model');
  const bare = Array.isArray(json.architectures) && json.architectures.includes(defaults.bare);
  return {
    model_type: modelType(json),
    vocab_size: dimension(json, 'vocab_size', defaults.vocab_size),
    hidden_size,
    num_hidden_layers: dimension(json, field.num_hidden_layers, defaults.layers, 'num_hidden_layers'),
    ...evenHeads(json, field.num_attention_heads, hidden_size, 12),
    intermediate_size: dimension(json, field.intermediate_size, 3072, 'intermediate_size'),
    activation: activationOf(json, field.hidden_act, 'gelu'),
    max_position_embeddings: dimension(json, 'max_position_embeddings', 512),
    tie_word_embeddings: flag(json, 'tie_word_embeddings', true),
    prefix: bare ? '' : defaults.prefix,
    dropout: readDropout(json, defaults.dropout ?? DROPOUT),
    initializer_range: initializerRange(json),
  };
}

/** transformers' default is 1e-12. */
export const layerNormEpsilon = (json: Json) => epsilon(json, 'layer_norm_eps', 1e-12);

/** The order of a block's linears and norms is that of the forward pass. */
export function encoderTensors(config: EncoderConfig, paths: EncoderPaths): TensorSpec[] {
  const { vocab_size: vocab, hidden_size: d, intermediate_size: ff } = config;
  const linear = (path: string, out: number, width: number, optional = false): TensorSpec[] => [
    { name: `${path}.weight`, shape: [out, width], optional },
    { name: `${path}.bias`, shape: [out], optional },
  ];
  const norm = (path: string, optional = false): TensorSpec[] => [
    { name: `${path}.weight`, shape: [d], optional },
    { name: `${path}.bias`, shape: [d], optional },
  ];
  const table = (name: string, rows: number) => ({ name: `${paths.embeddings}.${name}.weight`, shape: [rows, d] });
  const specs: TensorSpec[] = [
    table('word_embeddings', vocab),
    table('position_embeddings', config.position_offset + config.max_position_embeddings),
    ...(config.type_vocab_size > 0 ? [table('token_type_embeddings', config.type_vocab_size)] : []),
    ...norm(`${paths.embeddings}.LayerNorm`),
  ];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const at = paths.block(i);
    specs.push(
      ...[paths.query, paths.key, paths.value, paths.attentionOutput].flatMap((path) => linear(`${at}.${path}`, d, d)),
      ...norm(`${at}.${paths.attentionNorm}`),
      ...linear(`${at}.${paths.up}`, ff, d),
      ...linear(`${at}.${paths.down}`, d, ff),
      ...norm(`${at}.${paths.outputNorm}`),
    );
  }
  // A bare encoder; transformers does not read a head there either, whatever else the file holds.
  if (config.prefix === '') return specs;
  const { head } = paths;
  const words = `${paths.embeddings}.word_embeddings.weight`;
  specs.push(
    ...linear(head.dense, d, d, true),
    ...norm(head.norm, true),
    { name: `${head.projection}.weight`, shape: [vocab, d], optional: true, tiedTo: words },
    { name: head.bias, shape: [vocab], optional: true },
  );
  if (head.bias !== `${head.projection}.bias`) {
    specs.push({ name: `${head.projection}.bias`, shape: [vocab], optional: true, tiedTo: head.bias });
  }
  return specs;
}

/** With or without the prefix: sentence-transformers saves the bare encoder, whatever class the config names. */
export const withOrWithout = (prefix: string) => (name: string) =>
  name.startsWith(prefix) ? name.slice(prefix.length) : prefix + name;
