/** BertForMaskedLM and BertModel (transformers, models/bert), BertConfig's defaults. */
import type { AdapterHubPlaces } from './adapterhub';
import { dimension } from './config';
import {
  type EncoderConfig,
  type EncoderPaths,
  encoderTensors,
  layerNormEpsilon,
  readEncoder,
  withOrWithout,
} from './encoder';
import type { Family } from './family';
import { headLayer, tokenHead } from './heads';

const PREFIX = 'bert.';

export function bertPaths({ prefix }: EncoderConfig): EncoderPaths {
  return {
    embeddings: `${prefix}embeddings`,
    block: (layer) => `${prefix}encoder.layer.${layer}`,
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    attentionOutput: 'attention.output.dense',
    attentionNorm: 'attention.output.LayerNorm',
    up: 'intermediate.dense',
    down: 'output.dense',
    outputNorm: 'output.LayerNorm',
    head: {
      dense: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      projection: 'cls.predictions.decoder',
      bias: 'cls.predictions.bias',
    },
  };
}

const otherPrefix = withOrWithout(PREFIX);

/** Checkpoints converted from TensorFlow call a norm's weight gamma and its bias beta. */
const fromTensorFlow = (name: string) =>
  name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');

/** Where AdapterHub keeps bottlenecks in blocks with BERT's modules. */
export const bertAdapters: AdapterHubPlaces = { attention: 'attention.output', feedForward: 'output', interface: null };

/** PEFT's choice for blocks with BERT's modules. */
export const bertPeft: Family['peft'] = {
  ia3: { target_modules: ['key', 'value', 'output.dense'], feedforward_modules: ['output.dense'] },
};

export const bert: Family<EncoderConfig> = {
  modelType: 'bert',
  architectures: ['BertForMaskedLM', 'BertForPreTraining', 'BertModel'],
  kind: 'encoder',

  readConfig(json) {
    return {
      ...readEncoder(json, { prefix: PREFIX, bare: 'BertModel', vocab_size: 30522, layers: 12 }),
      layer_norm_eps: layerNormEpsilon(json),
      type_vocab_size: dimension(json, 'type_vocab_size', 2),
      position_offset: 0,
    };
  },

  tensors: (config) => [
    ...encoderTensors(config, bertPaths(config)),
    ...[[config.hidden_size, config.hidden_size], [config.hidden_size]].map((shape, i) => ({
      name: `${config.prefix}pooler.dense.${i === 0 ? 'weight' : 'bias'}`,
      shape,
      optional: true,
      spare: true,
    })),
  ],

  storedAs(name) {
    const all = [name, otherPrefix(name)];
    return [...all.slice(1), ...all.map(fromTensorFlow)];
  },
  // The head of a bare encoder, and BertForPreTraining's guess whether two sentences belong together.
  ignored: /^cls\.|(^|\.)position_ids$/,
  prefix: PREFIX,
  lmHead: /^cls\./,

  heads: {
    sequence: (prefix) => ({
      modules: ['classifier'],
      row: 'first',
      layers: [
        headLayer(`${prefix}pooler.dense`, 'hidden', { after: 'tanh', stored: 'pooler' }),
        headLayer('classifier', 'labels', { dropBefore: true }),
      ],
    }),
    tokens: tokenHead('classifier'),
  },
  peft: bertPeft,
  adapterHub: bertAdapters,
};
