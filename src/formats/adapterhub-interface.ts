/**
 * `adapter_interface.json`: how AdapterHub finds its places in a family that it has no code of its own for
 * (src/adapters/interface.py; wrappers/interfaces.py for the first four below). The others open there with
 * `adapters.init(model, interface=AdapterModelInterface(**json["interface"]))`. Those ask for bottlenecks alone: made ready
 * for LoRA too, a fused projection would get a random bias there.
 */
type Interface = Record<string, string | string[] | null>;

/** Names that most decoders share. */
const PLACES: Interface = {
  adapter_methods: ['bottleneck', 'lora', 'reft', 'invertible'],
  attn_k_proj: 'k_proj',
  attn_o_proj: 'o_proj',
  attn_q_proj: 'q_proj',
  attn_qkv_proj: null,
  attn_v_proj: 'v_proj',
  base_model: null,
  layer_cross_attn: null,
  layer_intermediate_proj: 'mlp.up_proj',
  layer_ln_1: null,
  layer_ln_2: null,
  layer_output_proj: 'mlp.down_proj',
  layer_pre_cross_attn: null,
  layer_pre_ffn: 'post_attention_layernorm',
  layer_pre_self_attn: 'input_layernorm',
  layer_self_attn: 'self_attn',
  model_embeddings: 'embed_tokens',
  model_layers: 'layers',
};

const OWN = { adapter_methods: ['bottleneck'] };
const FUSED = { ...OWN, attn_k_proj: null, attn_q_proj: null, attn_v_proj: null };
const GEMMA = {
  layer_ln_1: 'post_attention_layernorm',
  layer_ln_2: 'post_feedforward_layernorm',
  layer_pre_ffn: 'pre_feedforward_layernorm',
};

const INTERFACES: Record<string, Interface> = {
  qwen2: PLACES,
  qwen3: PLACES,
  gemma2: { ...PLACES, ...GEMMA },
  gemma3_text: { ...PLACES, ...GEMMA, base_model: 'model' },
  smollm3: { ...PLACES, ...OWN },
  phi3: { ...PLACES, ...FUSED, attn_qkv_proj: 'qkv_proj', layer_intermediate_proj: 'mlp.gate_up_proj' },
  gpt_neox: {
    ...PLACES,
    ...FUSED,
    attn_qkv_proj: 'query_key_value',
    attn_o_proj: 'dense',
    layer_self_attn: 'attention',
    model_embeddings: 'embed_in',
    layer_intermediate_proj: 'mlp.dense_h_to_4h',
    layer_output_proj: 'mlp.dense_4h_to_h',
  },
};

/** Null for a family that AdapterHub knows by itself. `parallel`: attention and feed-forward stand side by side. */
export function adapterInterface(modelType: string, parallel: boolean): Interface | null {
  const own = Object.hasOwn(INTERFACES, modelType) ? INTERFACES[modelType]! : null;
  return own && (parallel ? { ...own, layer_pre_ffn: null } : own);
}
