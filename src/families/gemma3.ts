/**
 * Gemma3ForCausalLM (transformers, models/gemma3), the text models: Gemma 2 without its soft caps, with norms over heads,
 * and with other rotary frequencies in layers with a sliding window.
 */
import { OTHER_MODEL, refuse, show } from '../base/bad-model';
import { interfacedModel } from './adapterhub';
import { CONFIG, dimension, positive } from './config';
import { decoderStoredAs, LM_HEAD } from './decoder';
import type { Family } from './family';
import { type GemmaConfig, gemmaFloats, gemmaInterface, gemmaPeft, gemmaTensors, readGemma } from './gemma2';
import { decoderHeads } from './heads';
import { type Rope, readRopeFields, section } from './rope';

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

  spellings: 'rope_by_layer',
  llamaCpp: { lora: true, vocabulary: { file: 'tokenizer.model' } },
  mlx: {
    note: ({ hidden_size }) =>
      `mlx-lm’s Gemma 3 rounds √${hidden_size}, which embeddings are multiplied with, to bfloat16, as models in that precision do.`,
  },
  vllm: null,
  tensors: (config) => gemmaTensors(config, true),
  storedAs: decoderStoredAs,
  lmHead: LM_HEAD,

  heads: { ...decoderHeads, classStem: 'Gemma3Text' },
  peft: gemmaPeft,
  adapterHub: interfacedModel({ ...gemmaInterface, base_model: 'model' }),
};
