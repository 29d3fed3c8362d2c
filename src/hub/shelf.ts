/**
 * The curated shelf: small open models to start with. Each has those fields of its config.json that decide shapes, so that
 * size and memory can be computed without the network.
 */
import { readFamilyConfig, supportedFamilies, tiesOf } from '../families';
import { DTYPE_BYTES } from '../formats/safetensors-dtypes';
import type { PrecisionPlan, ShelfModel } from './descriptions';
import { hubSource } from './hub-id';
import type { PlanModel } from './plan';

interface ShelfEntry {
  id: string;
  title: string;
  description: string;
  /** As the Hub writes it. */
  licence: string;
  gated?: true;
  dtype: 'F32' | 'BF16' | 'F16';
  config: Record<string, unknown>;
  /** Bytes in the file besides the tensors that the model needs. */
  moreBytes?: number;
}

const smol = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_act: 'silu',
  vocab_size: 49_152,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  tie_word_embeddings: true,
};
const smol135 = {
  ...smol,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
};
const gemma270 = {
  model_type: 'gemma3_text',
  architectures: ['Gemma3ForCausalLM'],
  hidden_activation: 'gelu_pytorch_tanh',
  vocab_size: 262_144,
  hidden_size: 640,
  intermediate_size: 2048,
  num_hidden_layers: 18,
  num_attention_heads: 4,
  num_key_value_heads: 1,
  head_dim: 256,
  max_position_embeddings: 32_768,
  query_pre_attn_scalar: 256,
  sliding_window: 512,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
};

export const shelf: ShelfEntry[] = [
  {
    id: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    title: 'SmolLM2 135M Instruct',
    description: 'The smallest model here that answers questions; trains on almost any GPU.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    config: smol135,
  },
  {
    id: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    title: 'SmolLM2 360M Instruct',
    description: 'Noticeably better answers than the 135M, still quick to train.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    config: {
      ...smol,
      hidden_size: 960,
      intermediate_size: 2560,
      num_hidden_layers: 32,
      num_attention_heads: 15,
      num_key_value_heads: 5,
    },
  },
  {
    id: 'Qwen/Qwen2.5-0.5B-Instruct',
    title: 'Qwen2.5 0.5B Instruct',
    description: 'Follows instructions in many languages, with a long context.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    config: {
      model_type: 'qwen2',
      architectures: ['Qwen2ForCausalLM'],
      hidden_act: 'silu',
      vocab_size: 151_936,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      max_position_embeddings: 32_768,
      max_window_layers: 21,
      sliding_window: 32_768,
      use_sliding_window: false,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      tie_word_embeddings: true,
    },
  },
  {
    id: 'Qwen/Qwen3-0.6B',
    title: 'Qwen3 0.6B',
    description: 'Newer than Qwen2.5, and can reason before it answers.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    // The output projection, which is the embedding, is stored again.
    moreBytes: 2 * 151_936 * 1024,
    config: {
      model_type: 'qwen3',
      architectures: ['Qwen3ForCausalLM'],
      hidden_act: 'silu',
      attention_bias: false,
      vocab_size: 151_936,
      hidden_size: 1024,
      intermediate_size: 3072,
      num_hidden_layers: 28,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 128,
      max_position_embeddings: 40_960,
      max_window_layers: 28,
      sliding_window: null,
      use_sliding_window: false,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      rope_scaling: null,
      tie_word_embeddings: true,
    },
  },
  {
    id: 'google/gemma-3-270m-it',
    title: 'Gemma 3 270M Instruct',
    description: 'Made to be fine-tuned for one narrow task, with a multilingual vocabulary.',
    licence: 'gemma',
    gated: true,
    dtype: 'BF16',
    config: gemma270,
  },
  {
    id: 'meta-llama/Llama-3.2-1B-Instruct',
    title: 'Llama 3.2 1B Instruct',
    description: 'A capable all-rounder that most tools know; needs a larger GPU, or four bits.',
    licence: 'llama3.2',
    gated: true,
    dtype: 'BF16',
    config: {
      model_type: 'llama',
      architectures: ['LlamaForCausalLM'],
      hidden_act: 'silu',
      vocab_size: 128_256,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      head_dim: 64,
      max_position_embeddings: 131_072,
      rms_norm_eps: 1e-5,
      rope_theta: 500_000,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
      tie_word_embeddings: true,
    },
  },
  {
    id: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    title: 'TinyLlama 1.1B Chat',
    description: 'A small Llama 2 without terms to accept; short context.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    config: {
      model_type: 'llama',
      architectures: ['LlamaForCausalLM'],
      hidden_act: 'silu',
      vocab_size: 32_000,
      hidden_size: 2048,
      intermediate_size: 5632,
      num_hidden_layers: 22,
      num_attention_heads: 32,
      num_key_value_heads: 4,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
      tie_word_embeddings: false,
    },
  },
  {
    id: 'HuggingFaceTB/SmolLM2-135M',
    title: 'SmolLM2 135M',
    description: 'The base model: no chat format, continues text; for data without conversations.',
    licence: 'apache-2.0',
    dtype: 'BF16',
    config: smol135,
  },
  {
    id: 'openai-community/gpt2',
    title: 'GPT-2',
    description: 'The classic that continues text, used in countless courses and papers.',
    licence: 'mit',
    dtype: 'F32',
    // A causal mask for every layer.
    moreBytes: 4 * 12 * 1024 * 1024,
    config: {
      model_type: 'gpt2',
      architectures: ['GPT2LMHeadModel'],
      activation_function: 'gelu_new',
      vocab_size: 50_257,
      n_embd: 768,
      n_layer: 12,
      n_head: 12,
      n_positions: 1024,
      n_ctx: 1024,
      layer_norm_epsilon: 1e-5,
    },
  },
  {
    id: 'EleutherAI/pythia-70m',
    title: 'Pythia 70M',
    description: 'A research model with a published training history; quick to experiment with.',
    licence: 'apache-2.0',
    dtype: 'F16',
    // A causal mask for every layer, one byte per position.
    moreBytes: 6 * 2048 * 2048,
    config: {
      model_type: 'gpt_neox',
      architectures: ['GPTNeoXForCausalLM'],
      hidden_act: 'gelu',
      vocab_size: 50_304,
      hidden_size: 512,
      intermediate_size: 2048,
      num_hidden_layers: 6,
      num_attention_heads: 8,
      max_position_embeddings: 2048,
      rotary_pct: 0.25,
      rotary_emb_base: 10_000,
      layer_norm_eps: 1e-5,
      use_parallel_residual: true,
      tie_word_embeddings: false,
    },
  },
  {
    id: 'sentence-transformers/all-MiniLM-L6-v2',
    title: 'all-MiniLM-L6-v2',
    description: 'Turns sentences into vectors for search and grouping; it does not generate text.',
    licence: 'apache-2.0',
    dtype: 'F32',
    // The pooler, which sentence embeddings do not use.
    moreBytes: 4 * (384 * 384 + 384),
    config: {
      model_type: 'bert',
      architectures: ['BertModel'],
      hidden_act: 'gelu',
      vocab_size: 30_522,
      hidden_size: 384,
      intermediate_size: 1536,
      num_hidden_layers: 6,
      num_attention_heads: 12,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
    },
  },
  {
    id: 'distilbert/distilbert-base-uncased',
    title: 'DistilBERT base',
    description: 'Reads English text to sort it into classes; a small BERT.',
    licence: 'apache-2.0',
    dtype: 'F32',
    config: {
      model_type: 'distilbert',
      architectures: ['DistilBertForMaskedLM'],
      activation: 'gelu',
      vocab_size: 30_522,
      dim: 768,
      hidden_dim: 3072,
      n_layers: 6,
      n_heads: 12,
      max_position_embeddings: 512,
      sinusoidal_pos_embds: false,
    },
  },
];

/** The model's number of parameters, from its config. */
export function parametersOf(config: Record<string, unknown>): number {
  const { family, config: read } = readFamilyConfig(config);
  const tied = new Set(tiesOf(family, read).map(({ name }) => name));
  const needed = family.tensors(read).filter(({ name, spare }) => !tied.has(name) && !spare);
  return needed.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

/**
 * The shelf at once, and then again with each plan for this GPU, which takes a moment per card. Resolves with the first, and
 * does not reject if a plan fails.
 */
export async function shelfModels(
  needs: { isDownloaded(source: string): Promise<boolean>; plan: PlanModel },
  onPlanned: (models: ShelfModel[]) => void = () => {},
): Promise<ShelfModel[]> {
  const known = shelf.filter(({ config }) => supportedFamilies.includes(config.model_type as string));
  const models = await Promise.all(
    known.map(async ({ id, title, description, licence, gated = false, dtype, config, moreBytes = 0 }) => {
      const source = hubSource({ id, revision: null, file: null });
      const parameters = parametersOf(config);
      const bytes = parameters * DTYPE_BYTES[dtype] + moreBytes;
      const downloaded = await needs.isDownloaded(source);
      const precisions: PrecisionPlan[] = [];
      return { source, id, title, description, licence, parameters, bytes, gated, downloaded, precisions };
    }),
  );
  void planAll(models, known, needs.plan, onPlanned);
  return models;
}

async function planAll(
  models: ShelfModel[],
  entries: ShelfEntry[],
  plan: PlanModel,
  onPlanned: (models: ShelfModel[]) => void,
): Promise<void> {
  const planned = [...models];
  for (const [i, { config, dtype }] of entries.entries()) {
    // A card without a plan is still shown.
    const precisions = await plan({ config, dtype, kind: 'safetensors' }).catch(() => []);
    if (precisions.length === 0) continue;
    planned[i] = { ...planned[i]!, precisions };
    onPlanned([...planned]);
  }
}
