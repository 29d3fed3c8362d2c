/** DistilBertForMaskedLM and DistilBertModel (transformers, models/distilbert), DistilBertConfig's defaults. */
import { adaptedModel } from './adapterhub';
import {
  type EncoderConfig,
  type EncoderDefaults,
  type EncoderPaths,
  encoderTensors,
  readEncoder,
  withOrWithout,
} from './encoder';
import type { Family } from './family';
import { headLayer, tokenHead } from './heads';

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

  readConfig(json) {
    const defaults: EncoderDefaults = {
      ...{ prefix: PREFIX, bare: 'DistilBertModel', vocab_size: 30522, layers: 6 },
      dropout: {
        embeddings: ['dropout', 0.1],
        attention: ['attention_dropout', 0.1],
        residual: ['dropout', 0.1],
        classifier: ['seq_classif_dropout', 0.2],
        tokenClassifier: ['dropout', 0.1],
      },
    };
    const own = {
      hidden_size: 'dim',
      num_hidden_layers: 'n_layers',
      num_attention_heads: 'n_heads',
      intermediate_size: 'hidden_dim',
      hidden_act: 'activation',
    };
    return {
      ...readEncoder(json, defaults, own),
      // In transformers' code, not in the config.
      layer_norm_eps: 1e-12,
      type_vocab_size: 0,
      position_offset: 0,
    };
  },

  tensors: (config) => encoderTensors(config, distilbertPaths(config)),
  storedAs: (name) => [otherPrefix(name)],
  ignored: /^vocab_(transform|layer_norm|projector)\.|(^|\.)position_ids$/,
  prefix: PREFIX,
  lmHead: /^vocab_(transform|layer_norm|projector)\./,

  heads: {
    sequence: () => ({
      modules: ['pre_classifier', 'classifier'],
      row: 'first',
      layers: [
        headLayer('pre_classifier', 'hidden', { after: 'relu' }),
        headLayer('classifier', 'labels', { dropBefore: true }),
      ],
    }),
    tokens: tokenHead('classifier'),
  },
  // PEFT has no entry for it; BERT's modules under DistilBERT's names.
  peft: { ia3: { target_modules: ['k_lin', 'v_lin', 'lin2'], feedforward_modules: ['lin2'] } },
  adapterHub: adaptedModel,
};
