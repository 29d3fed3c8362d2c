/**
 * Settings that others have published, each with its source. A preset replaces how a recipe trains (method and training, and
 * what it names besides) and keeps what it trains on: model, dataset and objective.
 */
import type { ObjectiveType } from '../objectives';
import { answerPresets } from './answer-presets';
import type { Preset } from './preset';
import type { RecipeInput } from './types';

export type { Preset } from './preset';

const SUPERVISED = [
  'sft',
  'pretraining',
  'masked_lm',
  'sequence_classification',
  'token_classification',
] as const satisfies ObjectiveType[];

export const presets: readonly Preset[] = [
  {
    id: 'unsloth',
    name: 'Unsloth notebook',
    text: 'A quick try: 60 steps of LoRA, whatever the size of the dataset.',
    source: { title: 'Unsloth notebooks', url: 'https://unsloth.ai/docs/get-started/unsloth-notebooks' },
    differs: 'Its 5 warm-up steps are a share of the 60 here.',
    for: SUPERVISED,
    changes: {
      method: { type: 'lora', r: 16, lora_alpha: 16, lora_dropout: 0 },
      training: {
        learning_rate: 2e-4,
        lr_scheduler_type: 'linear',
        warmup_ratio: 0.0833,
        max_steps: 60,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 4,
        optim: 'adamw_8bit',
        weight_decay: 0.001,
        seed: 3407,
      },
    },
  },
  {
    id: 'llama-factory',
    name: 'LLaMA-Factory LoRA',
    text: 'A gentle LoRA: half the usual rate and a small rank. Safe for a few hundred examples.',
    source: {
      title: 'LLaMA-Factory, examples/train_lora/qwen3_lora_sft.yaml',
      url: 'https://github.com/hiyouga/LLaMA-Factory/blob/main/examples/train_lora/qwen3_lora_sft.yaml',
    },
    for: SUPERVISED,
    changes: {
      method: { type: 'lora', r: 8, lora_alpha: 16, lora_dropout: 0 },
      training: {
        learning_rate: 1e-4,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        num_train_epochs: 3,
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 8,
        weight_decay: 0,
      },
    },
  },
  {
    id: 'axolotl',
    name: 'Axolotl LoRA, 1B',
    text: 'One pass over many examples, packed, with a tenth of them held out.',
    source: {
      title: 'Axolotl, examples/llama-3/lora-1b.yml',
      url: 'https://github.com/axolotl-ai-cloud/axolotl/blob/main/examples/llama-3/lora-1b.yml',
    },
    for: SUPERVISED,
    changes: {
      method: { type: 'lora', r: 16, lora_alpha: 32, lora_dropout: 0.05 },
      dataset: { validation_split: 0.1, packing: true },
      training: {
        learning_rate: 2e-4,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        num_train_epochs: 1,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        gradient_checkpointing: true,
        optim: 'adamw_8bit',
        weight_decay: 0,
      },
    },
  },
  {
    id: 'without-regret',
    name: 'LoRA Without Regret',
    text: 'For tens of thousands of examples: a rank that is high enough to learn what full fine-tuning would.',
    source: {
      title: 'TRL documentation, LoRA Without Regret (Schulman et al., 2025)',
      url: 'https://huggingface.co/docs/trl/main/en/lora_without_regret',
    },
    differs: 'The schedule is TRL’s default, linear without warm-up.',
    for: SUPERVISED,
    changes: {
      method: { type: 'lora', r: 256, lora_alpha: 16, lora_dropout: 0, target_modules: 'all-linear' },
      training: {
        learning_rate: 2e-4,
        lr_scheduler_type: 'linear',
        warmup_ratio: 0,
        num_train_epochs: 1,
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 4,
        weight_decay: 0,
      },
    },
  },
  {
    id: 'alpaca-lora',
    name: 'Alpaca-LoRA',
    text: 'The recipe that made LoRA popular: queries and values only, a large batch, the loss on prompts too.',
    source: {
      title: 'tloen/alpaca-lora, finetune.py',
      url: 'https://github.com/tloen/alpaca-lora/blob/main/finetune.py',
    },
    differs: 'Its 100 warm-up steps are the default share here, and its 8-bit base is not chosen for you.',
    for: ['sft'],
    changes: {
      method: {
        type: 'lora',
        r: 8,
        lora_alpha: 16,
        lora_dropout: 0.05,
        target_modules: ['q_proj', 'v_proj'],
      },
      objective: { type: 'sft', assistant_only_loss: false },
      dataset: { max_length: 256 },
      training: {
        learning_rate: 3e-4,
        lr_scheduler_type: 'linear',
        num_train_epochs: 3,
        per_device_train_batch_size: 4,
        gradient_accumulation_steps: 32,
        weight_decay: 0,
      },
    },
  },
  {
    id: 'guanaco',
    name: 'QLoRA, Guanaco 7B',
    text: 'A four-bit base with a high rank, for models that hardly fit.',
    source: {
      title: 'artidoro/qlora, scripts/finetune_guanaco_7b.sh (Dettmers et al., 2023)',
      url: 'https://github.com/artidoro/qlora/blob/main/scripts/finetune_guanaco_7b.sh',
    },
    differs: 'Batches are not grouped by length, and 3 epochs stand for its 1,875 steps on OASST1.',
    for: SUPERVISED,
    changes: {
      model: { quantization: 'nf4' },
      method: { type: 'lora', r: 64, lora_alpha: 16, lora_dropout: 0.1, target_modules: 'all-linear' },
      training: {
        learning_rate: 2e-4,
        lr_scheduler_type: 'constant',
        num_train_epochs: 3,
        per_device_train_batch_size: 4,
        gradient_accumulation_steps: 4,
        gradient_checkpointing: true,
        max_grad_norm: 0.3,
        weight_decay: 0,
        seed: 0,
      },
    },
  },
  {
    id: 'bert',
    name: 'BERT fine-tuning',
    text: 'All weights of an encoder for classification, in three passes.',
    source: {
      title: 'Devlin et al., 2018, appendix A.3',
      url: 'https://arxiv.org/abs/1810.04805',
    },
    differs: 'Of the values that the paper tries, 2e-5, 32 and 3 are taken.',
    for: ['sequence_classification', 'token_classification'],
    changes: {
      method: { type: 'full' },
      training: {
        learning_rate: 2e-5,
        lr_scheduler_type: 'linear',
        warmup_ratio: 0.1,
        num_train_epochs: 3,
        per_device_train_batch_size: 32,
        gradient_accumulation_steps: 1,
        weight_decay: 0.01,
      },
    },
  },
  ...answerPresets,
];

/** Those that are meant for this goal. */
export const presetsFor = (objective: ObjectiveType): Preset[] =>
  presets.filter((preset) => preset.for.includes(objective));

/** A recipe with a preset's method and training in place of its own. */
export function withPreset(input: RecipeInput, { changes }: Preset): RecipeInput {
  const { version, name, model, dataset, objective } = input;
  const next = {
    version,
    name,
    model: merged(model, changes.model),
    dataset: merged(dataset, changes.dataset),
    method: changes.method,
    // Of the same goal, what the preset does not name stays: rewards above all.
    objective:
      changes.objective && changes.objective.type === objective?.type
        ? { ...objective, ...changes.objective }
        : (changes.objective ?? objective),
    training: changes.training,
  };
  // Without the sections that nobody has written: as JSON they do not exist.
  return JSON.parse(JSON.stringify(next)) as RecipeInput;
}

const merged = <T extends object>(own: T | undefined, changes: Partial<T> | undefined): T | undefined =>
  own || changes ? ({ ...own, ...changes } as T) : undefined;
