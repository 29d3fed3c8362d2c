/** DistilBertForMaskedLM and DistilBertModel (transformers, models/distilbert), DistilBertConfig's defaults. */
import { type EncoderConfig, type EncoderPaths, encoderTensors, readEncoder, withOrWithout } from './encoder';
import type { Family } from './family';

const PREFIX = 'distilbert.';

export function distilbertPaths({ prefix }: EncoderConfig): EncoderPaths {
  return {
    embeddings: `${prefix}embeddings`,
    block: (layer) => `${prefix}transformer.layer.${layer}`,
    query: 'attention.q_lin',
    key: 'attention.k_lin',
    value: 'attention.v_lin',
    attentionOutput: 'attention.out_lin',
    attentionNorm: 'sa_layer_norm',
    up: 'ffn.lin1',
    down: 'ffn.lin2',
    outputNorm: 'output_layer_norm',
    head: {
      dense: 'vocab_transform',
      norm: 'vocab_layer_norm',
      projection: 'vocab_projector',
      bias: 'vocab_projector.bias',
    },
  };
}

const otherPrefix = withOrWithout(PREFIX);

export const distilbert: Family<EncoderConfig> = {
  modelType: 'distilbert',
  architectures: ['DistilBertForMaskedLM', 'DistilBertModel'],
  kind: 'encoder',
  ignored: /^vocab_(transform|layer_norm|projector)\.|(^|\.)position_ids$/,

  readConfig(json) {
    const family = { model_type: 'distilbert', prefix: PREFIX, bare: 'DistilBertModel', vocab_size: 30522, layers: 6 };
    const own = {
      hidden_size: 'dim',
      num_hidden_layers: 'n_layers',
      num_attention_heads: 'n_heads',
      intermediate_size: 'hidden_dim',
      hidden_act: 'activation',
    };
    return {
      ...readEncoder(json, family, own),
      // Written into the code, not into the config.
      layer_norm_eps: 1e-12,
      type_vocab_size: 0,
      position_offset: 0,
    };
  },

  tensors: (config) => encoderTensors(config, distilbertPaths(config)),
  storedAs: (name) => [otherPrefix(name)],
};
