/**
 * Gemma3ForCausalLM (transformers, models/gemma3), the text models: Gemma 2 without its soft caps, with norms over heads,
 * and with other rotary frequencies in layers with a sliding window.
 */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';
import { interfacedModel } from './adapterhub';
import { CONFIG, dimension, positive } from './config';
import { decoderStoredAs, LM_HEAD } from './decoder';
import type { Family } from './family';
import {
  type GemmaConfig,
  gemmaFloats,
  gemmaFromGguf,
  gemmaGguf,
  gemmaInterface,
  gemmaPeft,
  gemmaTensors,
  readGemma,
} from './gemma2';
import { ggufHeadNorms, ggufWindow, ropeScaling } from './gguf';
import { decoderHeads } from './heads';
import { type Rope, readRopeFields, section } from './rope';
import { gemmaRopeSpellings } from './rope-spellings';

export interface Gemma3Config extends GemmaConfig {
  /** Of layers with full attention, and of those with a sliding window. */
  rope: { full: Rope; sliding: Rope };
}

/** transformers 5 has the fields by type of layer; before, rope_scaling and rope_theta were those of full layers. */
function readRopes(json: Record<string, unknown>, config: GemmaConfig): Gemma3Config['rope'] {
  const setting = {
    kinds: ['default', 'linear', 'dynamic', 'llama3', 'yarn'] as const,
    headDim: config.head_dim,
    positions: config.max_position_embeddings,
  };
  const parameters = section(json, 'rope_parameters');
  const of = (type: string) => section(parameters, type, `rope_parameters.${type}`);
  const scaling = section(json, 'rope_scaling');
  const older = Object.keys(scaling).length > 0;
  return {
    full: readRopeFields(
      { ...of('full_attention'), ...scaling },
      older ? 'rope_scaling' : 'rope_parameters.full_attention',
      { ...setting, theta: 1_000_000 },
      { rope_theta: json.rope_theta },
    ),
    sliding: readRopeFields(of('sliding_attention'), 'rope_parameters.sliding_attention', setting, {
      rope_theta: positive(json, 'rope_local_base_freq', 10_000),
    }),
  };
}

export const gemma3: Family<Gemma3Config> = {
  modelType: 'gemma3_text',
  architectures: ['Gemma3ForCausalLM'],
  kind: 'decoder',
  refused: {
    // Its weights hold a vision tower, and the text model under other names.
    gemma3: 'This is Gemma 3 with images; only its text models can be opened.',
  },

  readConfig(json) {
    const pattern = dimension(json, 'sliding_window_pattern', 6);
    const sliding = (layer: number) => (layer + 1) % pattern !== 0;
    const config = readGemma(json, { positions: 131_072, finalSoftcap: null, sliding });
    const cap = json.attn_logit_softcapping ?? null;
    if (cap !== null) {
      // transformers reads the field and does not use it: what was meant cannot be known.
      const where = `${CONFIG}, attn_logit_softcapping`;
      refuse(where, `attn_logit_softcapping is ${show(cap)}, which Gemma 3 does not have.`, OTHER_MODEL);
    }
    return { ...config, rope: readRopes(json, config) };
  },
  floatFields: gemmaFloats,

  spellings: gemmaRopeSpellings,
  llamaCpp: { lora: true, vocabulary: { file: 'tokenizer.model' } },
  tensors: (config) => gemmaTensors(config, true),
  storedAs: decoderStoredAs,
  lmHead: LM_HEAD,

  heads: { ...decoderHeads, classStem: 'Gemma3Text' },
  peft: gemmaPeft,
  adapterHub: interfacedModel({ ...gemmaInterface, base_model: 'model' }),
  gguf: {
    architecture: 'gemma3',
    config(keys, tables) {
      const fields = { ...gemmaFromGguf(keys, 62), rope_theta: keys.number('rope.freq_base') ?? 1_000_000 };
      const width = ggufWindow(keys);
      const listed = keys.list('attention.sliding_window_pattern');
      const pattern = width === null ? 1 : listed ? undefined : (keys.number('attention.sliding_window_pattern') ?? 6);
      return {
        ...fields,
        rope_local_base_freq: keys.number('rope.freq_base_swa') ?? 10_000,
        // Without a window every layer has full attention.
        sliding_window: width ?? fields.max_position_embeddings,
        sliding_window_pattern: pattern,
        layer_types: listed?.map((sliding) => (sliding ? 'sliding_attention' : 'full_attention')),
        final_logit_softcapping: keys.number('final_logit_softcapping'),
        ...ropeScaling(keys, tables, fields),
      };
    },
    tensors: gemmaGguf(ggufHeadNorms),
  },
};
