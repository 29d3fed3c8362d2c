/** Published settings for learning from preferences and rewards. Rewards, and how long answers may be, stay as they are. */
import type { Preset } from './preset';

const QLORA = { quantization: 'nf4' } as const;
/** Transformers' own, which TRL keeps; TRL accumulates nothing. */
const TRL = {
  lr_scheduler_type: 'linear',
  warmup_ratio: 0,
  num_train_epochs: 3,
  per_device_train_batch_size: 8,
  gradient_accumulation_steps: 1,
  gradient_checkpointing: true,
  weight_decay: 0,
} as const;

export const answerPresets: readonly Preset[] = [
  {
    id: 'zephyr-dpo',
    name: 'Zephyr, DPO with QLoRA',
    text: 'For a model that has learned to chat: a loose hold on the reference, one pass over the pairs.',
    source: {
      title: 'Alignment Handbook, recipes/zephyr-7b-beta/dpo/config_qlora.yaml (Tunstall et al., 2023)',
      url: 'https://github.com/huggingface/alignment-handbook/blob/4231254d7e36eae7038a7df05be5571b5da8d573/recipes/zephyr-7b-beta/dpo/config_qlora.yaml',
    },
    differs: 'Its paged optimiser is plain AdamW here, and prompts are not cut to 512 tokens.',
    for: ['dpo'],
    changes: {
      model: QLORA,
      method: { type: 'lora', r: 16, lora_alpha: 16, lora_dropout: 0.05, target_modules: 'all-linear' },
      objective: { type: 'dpo', loss_type: ['sigmoid'], beta: 0.01 },
      dataset: { max_length: 1024 },
      training: {
        learning_rate: 5e-6,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        num_train_epochs: 1,
        per_device_train_batch_size: 4,
        gradient_accumulation_steps: 1,
        gradient_checkpointing: true,
        weight_decay: 0,
        seed: 42,
      },
    },
  },
  {
    id: 'trl-dpo',
    name: 'TRL’s DPO script',
    text: 'For small models: LoRA at a rate that moves little, 1,000 steps of 16 pairs.',
    source: {
      title: 'TRL, trl/scripts/dpo.py (LoRA)',
      url: 'https://github.com/huggingface/trl/blob/main/trl/scripts/dpo.py',
    },
    for: ['dpo'],
    changes: {
      method: { type: 'lora', r: 32, lora_alpha: 16, lora_dropout: 0.05, target_modules: ['q_proj', 'v_proj'] },
      objective: { type: 'dpo', loss_type: ['sigmoid'], beta: 0.1 },
      training: {
        ...TRL,
        learning_rate: 5e-6,
        num_train_epochs: 1,
        max_steps: 1000,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 8,
      },
    },
  },
  {
    id: 'trl-kto',
    name: 'TRL’s KTO script',
    text: 'For thousands of judged answers: a four-bit base, and a very low rate.',
    source: {
      title: 'TRL, trl/scripts/kto.py (QLoRA)',
      url: 'https://github.com/huggingface/trl/blob/main/trl/scripts/kto.py',
    },
    for: ['kto'],
    changes: {
      model: QLORA,
      method: { type: 'lora', r: 16, lora_alpha: 16, lora_dropout: 0.05, target_modules: 'all-linear' },
      objective: { type: 'kto', loss_type: 'kto', beta: 0.1 },
      training: {
        ...TRL,
        learning_rate: 5e-7,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        num_train_epochs: 1,
      },
    },
  },
  {
    id: 'simpo',
    name: 'SimPO, Llama 3 8B base',
    text: 'No reference: all weights, a tiny rate and a margin of half of beta.',
    source: {
      title: 'princeton-nlp/SimPO, training_configs/llama-3-8b-base-simpo.yaml (Meng et al., 2024)',
      url: 'https://github.com/princeton-nlp/SimPO/blob/main/training_configs/llama-3-8b-base-simpo.yaml',
    },
    differs:
      'It ran on several GPUs, so its steps had several times these 32 pairs; prompts are not cut to 1,800 tokens.',
    for: ['cpo'],
    changes: {
      method: { type: 'full' },
      objective: { type: 'cpo', loss_type: 'simpo', beta: 2, simpo_gamma: 1, cpo_alpha: 0, label_smoothing: 0 },
      dataset: { max_length: 2048 },
      training: {
        learning_rate: 6e-7,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        num_train_epochs: 1,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 16,
        gradient_checkpointing: true,
        weight_decay: 0,
        seed: 42,
      },
    },
  },
  {
    id: 'trl-grpo',
    name: 'TRL’s GRPO defaults',
    text: 'All weights, eight answers to one prompt at each step, and no reference.',
    source: { title: 'TRL documentation, GRPO Trainer', url: 'https://huggingface.co/docs/trl/main/en/grpo_trainer' },
    differs: 'For adapters, TRL advises about ten times this rate.',
    for: ['grpo'],
    changes: {
      method: { type: 'full' },
      objective: {
        ...{ type: 'grpo', num_generations: 8, temperature: 1, top_p: 1, beta: 0, num_iterations: 1, epsilon: 0.2 },
        ...{ loss_type: 'dapo', scale_rewards: 'group', importance_sampling_level: 'token' },
      },
      training: { ...TRL, learning_rate: 1e-6 },
    },
  },
  {
    id: 'trl-rloo',
    name: 'TRL’s RLOO defaults',
    text: 'All weights, two answers to each of four prompts, each judged by the other.',
    source: { title: 'TRL documentation, RLOO Trainer', url: 'https://huggingface.co/docs/trl/main/en/rloo_trainer' },
    differs: 'For adapters, TRL advises about ten times this rate.',
    for: ['rloo'],
    changes: {
      method: { type: 'full' },
      objective: {
        ...{ type: 'rloo', num_generations: 2, temperature: 1, top_p: 1, beta: 0.05, num_iterations: 1, epsilon: 0.2 },
        ...{ normalize_advantages: false },
      },
      training: { ...TRL, learning_rate: 1e-6 },
    },
  },
  {
    id: 'trl-ppo',
    name: 'TRL’s PPO defaults',
    text: 'All weights of the policy and of a value model, four passes over eight answers at a time.',
    source: { title: 'TRL documentation, PPO Trainer', url: 'https://huggingface.co/docs/trl/main/en/ppo_trainer' },
    differs: 'For adapters, about ten times this rate is usual.',
    for: ['ppo'],
    changes: {
      method: { type: 'full' },
      objective: {
        ...{ type: 'ppo', temperature: 0.7, num_ppo_epochs: 4, num_mini_batches: 1, kl_coef: 0.05, kl_estimator: 'k1' },
        ...{ cliprange: 0.2, vf_coef: 0.1, cliprange_value: 0.2, gamma: 1, lam: 0.95, whiten_rewards: false },
      },
      training: { ...TRL, learning_rate: 3e-6 },
    },
  },
];
