/**
 * GGUF's tensor names and layouts against Hugging Face's, by general.architecture. Converters (llama.cpp, convert_hf_to_gguf)
 * rename, and for some families move rows or add one to norms; what they do is undone here or while reading.
 */

/** How the rows of a tensor lie. */
export type RowLayout =
  | 'plain'
  /** Llama: the two halves of each query head interleaved, as llama.cpp turns pairs of neighbours. */
  | 'queries'
  /** The same for key heads. */
  | 'keys'
  /** GPT-NeoX: all queries, all keys, all values, where Hugging Face has the three of each head together. */
  | 'fused heads';

export interface HfTensor {
  name: string;
  rows: RowLayout;
  /** Lies [out, in], where Hugging Face stores [in, out] (GPT-2's Conv1D). */
  transposed: boolean;
  /** Stored as 1 + weight (Gemma's norms). */
  plusOne: boolean;
}

interface Naming {
  /** Tensors outside the blocks. */
  outer: Record<string, string>;
  /** The path of block i. */
  block: string;
  /** Modules in a block. */
  inner: Record<string, string>;
  rows?: Record<string, RowLayout>;
  transposed?: readonly string[];
  plusOne?: boolean;
}

const decoderOuter = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };
const attention = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
};
const headNorms = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' };
const feedForward = { ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj' };
const twoNorms = { ffn_norm: 'post_attention_layernorm' };
const fourNorms = {
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'pre_feedforward_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};

const decoder = (inner: Record<string, string>): Naming => ({ outer: decoderOuter, block: 'model.layers', inner });
const interleaved: Naming['rows'] = { attn_q: 'queries', attn_k: 'keys' };

const NAMINGS = new Map<string, Naming>([
  ['llama', { ...decoder({ ...attention, ...twoNorms, ...feedForward }), rows: interleaved }],
  ['smollm3', { ...decoder({ ...attention, ...twoNorms, ...feedForward }), rows: interleaved }],
  ['qwen2', decoder({ ...attention, ...twoNorms, ...feedForward })],
  ['qwen3', decoder({ ...attention, ...headNorms, ...twoNorms, ...feedForward })],
  ['gemma2', { ...decoder({ ...attention, ...fourNorms, ...feedForward }), plusOne: true }],
  ['gemma3', { ...decoder({ ...attention, ...headNorms, ...fourNorms, ...feedForward }), plusOne: true }],
  [
    'phi3',
    decoder({
      attn_norm: 'input_layernorm',
      attn_qkv: 'self_attn.qkv_proj',
      attn_output: 'self_attn.o_proj',
      ...twoNorms,
      ffn_up: 'mlp.gate_up_proj',
      ffn_down: 'mlp.down_proj',
    }),
  ],
  [
    'gpt2',
    {
      outer: {
        token_embd: 'transformer.wte',
        position_embd: 'transformer.wpe',
        output_norm: 'transformer.ln_f',
        output: 'lm_head',
      },
      block: 'transformer.h',
      inner: {
        attn_norm: 'ln_1',
        attn_qkv: 'attn.c_attn',
        attn_output: 'attn.c_proj',
        ffn_norm: 'ln_2',
        ffn_up: 'mlp.c_fc',
        ffn_down: 'mlp.c_proj',
      },
      transposed: ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'],
    },
  ],
  [
    'gptneox',
    {
      outer: { token_embd: 'gpt_neox.embed_in', output_norm: 'gpt_neox.final_layer_norm', output: 'embed_out' },
      block: 'gpt_neox.layers',
      inner: {
        attn_norm: 'input_layernorm',
        attn_qkv: 'attention.query_key_value',
        attn_output: 'attention.dense',
        ffn_norm: 'post_attention_layernorm',
        ffn_up: 'mlp.dense_h_to_4h',
        ffn_down: 'mlp.dense_4h_to_h',
      },
      rows: { attn_qkv: 'fused heads' },
    },
  ],
]);

/** Architectures whose files can be read. */
export const ggufArchitectures: readonly string[] = [...NAMINGS.keys()];

/** Tables of frequencies, which become fields of the config. */
export const isRopeTable = (name: string): boolean =>
  /^(blk\.\d+\.)?rope_(freqs|factors_long|factors_short)\.weight$/.test(name);

/** A tensor of an architecture in Hugging Face's terms; undefined for one that its models do not have. */
export function hfTensor(architecture: string, ggufName: string): HfTensor | undefined {
  const naming = NAMINGS.get(architecture);
  const parts = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(ggufName);
  if (!naming || !parts) return undefined;
  const [, block, module, kind] = parts as unknown as [string, string | undefined, string, string];
  const table = block === undefined ? naming.outer : naming.inner;
  if (!Object.hasOwn(table, module)) return undefined;
  const path = block === undefined ? table[module] : `${naming.block}.${block}.${table[module]}`;
  return {
    name: `${path}.${kind}`,
    rows: naming.rows?.[module] ?? 'plain',
    transposed: kind === 'weight' && naming.transposed?.includes(module) === true,
    plusOne: naming.plusOne === true && module.endsWith('norm'),
  };
}
