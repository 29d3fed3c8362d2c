/** RobertaForMaskedLM and RobertaModel (transformers, models/roberta), RobertaConfig's defaults. The pooler is not used. */
import { refuse, show } from '../base/bad-model';
import { bertAdapters, bertPaths, bertPeft } from './bert';
import { CONFIG, dimension, RESTORE } from './config';
import { LM_HEAD } from './decoder';
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

const PREFIX = 'roberta.';

/** BERT's blocks under another prefix, and another head. */
export const robertaPaths = (config: EncoderConfig): EncoderPaths => ({
  ...bertPaths(config),
  head: { dense: 'lm_head.dense', norm: 'lm_head.layer_norm', projection: 'lm_head.decoder', bias: 'lm_head.bias' },
});

const otherPrefix = withOrWithout(PREFIX);

export const roberta: Family<EncoderConfig> = {
  modelType: 'roberta',
  prefixesWords: true,
  architectures: ['RobertaForMaskedLM', 'RobertaModel'],
  kind: 'encoder',

  readConfig(json) {
    const encoder = readEncoder(json, { prefix: PREFIX, bare: 'RobertaModel', vocab_size: 50265, layers: 12 });
    // Positions start after the padding token's id; no text uses that row or those before it.
    const padding = json.pad_token_id ?? 1;
    const rows = encoder.max_position_embeddings;
    if (typeof padding !== 'number' || !Number.isInteger(padding) || padding < 0) {
      refuse(`${CONFIG}, pad_token_id`, `pad_token_id is ${show(padding)}, not the id of a token.`, RESTORE);
    }
    const position_offset = padding + 1;
    if (rows <= position_offset) {
      refuse(
        `${CONFIG}, max_position_embeddings`,
        `max_position_embeddings is ${rows}, of which the padding token ${padding} leaves no position for text.`,
        RESTORE,
      );
    }
    return {
      ...encoder,
      max_position_embeddings: rows - position_offset,
      layer_norm_eps: layerNormEpsilon(json),
      type_vocab_size: dimension(json, 'type_vocab_size', 2),
      position_offset,
    };
  },

  tensors: (config) => encoderTensors(config, robertaPaths(config)),
  storedAs: (name) => [otherPrefix(name)],
  ignored: /^(roberta\.)?pooler\.|^lm_head\.|(^|\.)(position_ids|token_type_ids)$/,
  prefix: PREFIX,
  lmHead: LM_HEAD,

  heads: {
    sequence: () => ({
      modules: ['classifier'],
      row: 'first',
      layers: [
        headLayer('classifier.dense', 'hidden', { dropBefore: true, after: 'tanh' }),
        headLayer('classifier.out_proj', 'labels', { dropBefore: true }),
      ],
    }),
    tokens: tokenHead('classifier'),
  },
  peft: bertPeft,
  adapterHub: bertAdapters,
};
