/**
 * Where AdapterHub's `adapters` (1.3.0) keeps bottlenecks in a family's blocks. It has code for some families; it finds its
 * way through the others by an `adapter_interface.json` (src/adapters/interface.py), and opens adapters there with
 * `adapters.init(model, interface=AdapterModelInterface(**json["interface"]))`.
 */
export type AdapterInterface = Record<string, readonly string[] | string | null>;

export interface AdapterHubPlaces {
  /** Module of a block that holds the adapters after attention, and after the feed-forward. */
  attention: string;
  feedForward: string;
  /** Of adapter_interface.json; null for a family that AdapterHub has code for. */
  interface: AdapterInterface | null;
}

/** For most models that AdapterHub has code for. */
export const adaptedModel: AdapterHubPlaces = {
  attention: 'attention_adapters',
  feedForward: 'output_adapters',
  interface: null,
};

/** Names that most decoders share. */
const NAMES: AdapterInterface = {
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

/** For a model that AdapterHub reaches through an interface: the usual names, with these changes. */
export const interfacedModel = (changes: AdapterInterface = {}): AdapterHubPlaces => ({
  ...adaptedModel,
  interface: { ...NAMES, ...changes },
});

/**
 * For an interface that AdapterHub does not bring itself (wrappers/interfaces.py): bottlenecks alone. Prepared for LoRA as
 * well, a fused projection would get a random bias.
 */
export const BOTTLENECKS_ONLY: AdapterInterface = { adapter_methods: ['bottleneck'] };

/** One projection for queries, keys and values. */
export const fusedAttention = (projection: string): AdapterInterface => ({
  ...BOTTLENECKS_ONLY,
  attn_k_proj: null,
  attn_q_proj: null,
  attn_qkv_proj: projection,
  attn_v_proj: null,
});
