/** Small adapters for the built-in model, and what that model says of itself. */
import type { AdapterModel } from '../../../src/formats/adapter-format';
import { formatAdapterConfig } from '../../../src/formats/peft';
import { writePeft } from '../../../src/methods/read-adapter';

const HIDDEN = 192;
const LAYERS = 4;

/** As the engine reports it for public/models/stories/config.json; only the linear layers that tests use. */
export function storiesModel(): AdapterModel {
  const blockPaths = Array.from({ length: LAYERS }, (_, i) => `model.layers.${i}`);
  return {
    family: 'llama',
    hiddenSize: HIDDEN,
    layers: LAYERS,
    heads: { query: 6, keyValue: 2 },
    keyValueWidth: 64,
    blockPaths,
    linears: blockPaths.map((block) => ({ path: `${block}.self_attn.q_proj`, out: HIDDEN, width: HIDDEN })),
    parallel: false,
    headPrefix: '',
    modelClass: 'LlamaForCausalLM',
    headModules: [],
    tensorNames: [],
    idleTensors: [],
    ties: [],
  };
}

const common = { base_model_name_or_path: 'someone/stories', task_type: 'CAUSAL_LM' as const, modules_to_save: null };

/** A LoRA of rank 4 on one module. */
export function loraFiles(name: string, path = 'model.layers.0.self_attn.q_proj') {
  const config = {
    ...common,
    ...{ r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: ['q_proj'], use_rslora: false, use_dora: false },
    ...{ rank_pattern: {}, alpha_pattern: {}, fan_in_fan_out: false },
  };
  const tensors = new Map([
    [`${path}.lora_A.weight`, { shape: [4, HIDDEN], data: new Float32Array(4 * HIDDEN) }],
    [`${path}.lora_B.weight`, { shape: [HIDDEN, 4], data: new Float32Array(4 * HIDDEN) }],
  ]);
  return asFiles(name, writePeft({ type: 'LORA', config, tensors }));
}

/** A prompt of `count` virtual tokens. */
export function promptFiles(name: string, count: number) {
  const config = {
    ...common,
    ...{ num_virtual_tokens: count, token_dim: HIDDEN, num_transformer_submodules: 1, num_attention_heads: 6 },
    ...{
      num_layers: LAYERS,
      prompt_tuning_init: 'RANDOM',
      prompt_tuning_init_text: null,
      tokenizer_name_or_path: null,
    },
  };
  const data = new Float32Array(count * HIDDEN);
  const tensors = new Map([['prompt_embeddings', { shape: [count, HIDDEN], data }]]);
  return asFiles(name, writePeft({ type: 'PROMPT_TUNING', config, tensors }));
}

function asFiles(name: string, { config, weights }: { config: Record<string, unknown>; weights: Uint8Array }) {
  const file = (path: string, content: BlobPart) => ({ path: `${name}/${path}`, file: new File([content], path) });
  return [
    file('adapter_config.json', formatAdapterConfig(config)),
    file('adapter_model.safetensors', weights as BlobPart),
  ];
}
