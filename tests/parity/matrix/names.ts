/** Which tensors each method should train, listed independently of the methods. */
import type { LanguageModel } from '../../../src/engine/models/model';
import type { Cell } from './cells';

/** Tensors of the language modelling head, which a classifier drops. */
const TOKEN_HEAD = /^(lm_head|embed_out|cls|vocab_transform|vocab_layer_norm|vocab_projector)\./;

/** As in PEFT's constants (peft/utils/constants.py), which lack phi3, smollm3 and distilbert. */
const IA3: Record<string, RegExp> = {
  llama: /\.(k_proj|v_proj|down_proj)$/,
  mistral: /\.(k_proj|v_proj|down_proj)$/,
  qwen2: /\.(q_proj|v_proj|down_proj)$/,
  qwen3: /\.(q_proj|v_proj|down_proj)$/,
  gemma2: /\.(q_proj|v_proj|down_proj)$/,
  gemma3_text: /\.(q_proj|v_proj|down_proj)$/,
  phi3: /\.(qkv_proj|down_proj)$/,
  smollm3: /\.(k_proj|v_proj|down_proj)$/,
  gpt2: /\.(c_attn|mlp\.c_proj)$/,
  gpt_neox: /\.(query_key_value|dense_4h_to_h)$/,
  bert: /\.(key|value|output\.dense)$/,
  roberta: /\.(key|value|output\.dense)$/,
  distilbert: /\.(k_lin|v_lin|lin2)$/,
};

/** `model` has the objective's head. */
export function declaredNames(model: LanguageModel, { method, objective, variant, family }: Cell): string[] {
  const head = model.tensors.flatMap(({ name, task }) => (task ? [name] : []));
  const paths = model.linears.map(({ path }) => path);
  switch (method) {
    case 'lora': {
      const parts = ['lora_A.weight', 'lora_B.weight', ...(variant === 'DoRA' ? ['lora_magnitude_vector'] : [])];
      return [...paths.flatMap((path) => parts.map((part) => `${path}.${part}`)), ...head];
    }
    case 'ia3':
      return [...paths.filter((path) => IA3[family.name]!.test(path)).map((path) => `${path}.ia3_l`), ...head];
    case 'bottleneck': {
      const named = family.name === 'bert' || family.name === 'roberta';
      const places = named ? ['attention.output', 'output'] : ['attention_adapters', 'output_adapters'];
      const used = objective === 'token_classification' ? places : places.slice(1);
      const layers = ['adapter_down.0', 'adapter_up'].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
      return [
        ...model.blockPaths.flatMap((block) =>
          used.flatMap((place) => layers.map((layer) => `${block}.${place}.adapters.${layer}`)),
        ),
        ...head,
      ];
    }
    case 'prefix_tuning':
    case 'prompt_tuning':
      return ['prompt_embeddings', ...head];
    case 'p_tuning':
      return [
        'prompt_encoder.embedding.weight',
        ...[0, 2, 4].flatMap((i) => ['weight', 'bias'].map((part) => `prompt_encoder.mlp_head.${i}.${part}`)),
        ...head,
      ];
    case 'full':
    case 'gradual_unfreezing':
      return model.tensors.flatMap(({ name }) => (model.heads.classification && TOKEN_HEAD.test(name) ? [] : [name]));
    case 'head':
      return head;
  }
}
