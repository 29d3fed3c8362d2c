/** LoRA (Hu et al., 2021), with rsLoRA, DoRA, PiSSA and LoRA+ as settings. Implemented in src/engine/methods/lora.ts. */
import { loraKind, type PeftLoraConfig } from '../formats/peft/lora';
import { options, type Refusal } from '../recipe/spec';
import { noDora, savedInFull, vllmRank } from './lora-readers';
import type { MethodDescriptor } from './method';
import { peftFormat } from './peft-format';
import { MODEL_FOLDER, PEFT_FOLDER } from './shared-facts';
import { INIT_ADAPTER, MODULES_TO_SAVE, moduleProblems } from './shared-fields';

export interface LoraMethod {
  type: 'lora';
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** 'all-linear', or suffixes of module names such as ['q_proj','v_proj']. */
  target_modules: 'all-linear' | string[];
  use_rslora: boolean;
  use_dora: boolean;
  /** `default`: B = 0. `pissa`: A and B from the weight's largest singular values, subtracted from the base (Meng et al., 2024). */
  init_lora_weights: 'default' | 'gaussian' | 'pissa';
  /** Ranks that override r for some modules: {'layers.0.self_attn.q_proj': 32}; keys match as in PEFT. */
  rank_pattern: Record<string, number>;
  alpha_pattern: Record<string, number>;
  /** LoRA+ (Hayou et al., 2024): learning rate of B divided by that of A; 1 switches it off. */
  loraplus_lr_ratio: number;
  /** Modules that are trained in full along with the adapter, such as ['lm_head']. */
  modules_to_save: string[];
  /** A PEFT folder to continue from (`file:PATH`), or null for a new adapter. */
  init_adapter: string | null;
}

const pissaRefusal: Refusal = {
  where: 'method.init_lora_weights',
  message: 'is pissa, which starts from the singular values of 16- or 32-bit weights and cannot use quantised ones.',
  action: 'Use default, or a 16- or 32-bit model.',
};

const kin = (section: LoraMethod) => (section.use_dora ? 'DoRA' : 'LoRA');

export const lora: MethodDescriptor<LoraMethod> = {
  type: 'lora',
  order: 10,
  label: 'LoRA',
  trains: 'adapter',
  virtualTokens: false,
  merges: true,
  beginsAsBase: true,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  card: {
    group: 'adapter',
    text: 'Trains small low-rank matrices added to the layers. The right choice in nearly every case.',
    memory: 'slightly more than the model, plus activations',
    file: 'about 1 % of a large model, about a fifth of a tiny one',
    speed: 'fast; no overhead once merged',
  },
  facts: {
    trained: 'matrices A [r, in] and B [out, r] for each targeted linear layer, plus a classifier’s head',
    saved: `${PEFT_FOLDER}; or merged, as ${MODEL_FOLDER}`,
    papers: [
      { by: 'Hu et al., 2021', title: 'LoRA: Low-Rank Adaptation of Large Language Models', arxiv: '2106.09685' },
    ],
    variants: {
      title: 'LoRA variant',
      list: [
        {
          name: 'rsLoRA',
          setting: 'use_rslora: true',
          changes: 'scales by alpha / √r, so that high ranks learn properly',
          paper: {
            by: 'Kalajdzievski, 2023',
            title: 'A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA',
            arxiv: '2312.03732',
          },
        },
        {
          name: 'DoRA',
          setting: 'use_dora: true',
          changes: 'learns the magnitude of each row of a weight separately from its direction',
          paper: { by: 'Liu et al., 2024', title: 'DoRA: Weight-Decomposed Low-Rank Adaptation', arxiv: '2402.09353' },
        },
        {
          name: 'PiSSA',
          setting: 'init_lora_weights: pissa',
          changes: 'starts from the largest singular values of the weight; saved as plain LoRA with twice the rank',
          paper: {
            by: 'Meng et al., 2024',
            title: 'PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models',
            arxiv: '2404.02948',
          },
        },
        {
          name: 'LoRA+',
          setting: 'loraplus_lr_ratio: 16',
          changes: 'gives B a higher learning rate than A',
          paper: {
            by: 'Hayou et al., 2024',
            title: 'LoRA+: Efficient Low Rank Adaptation of Large Models',
            arxiv: '2402.12354',
          },
        },
        {
          name: 'QLoRA',
          setting: 'model.quantization: nf4',
          changes: 'keeps the frozen weights in four bits',
          paper: {
            by: 'Dettmers et al., 2023',
            title: 'QLoRA: Efficient Finetuning of Quantized LLMs',
            arxiv: '2305.14314',
          },
        },
      ],
    },
  },
  fields: {
    r: {
      kind: 'int',
      label: 'Rank',
      help: 'Rank of the added matrices: a higher one can learn more, but takes more memory and overfits sooner.',
      default: 16,
      min: 1,
      max: 256,
      step: 1,
      usual: [4, 64],
      source: 'Unsloth Studio, TRL, Axolotl',
    },
    lora_alpha: {
      kind: 'number',
      label: 'Alpha',
      help: 'Strength of the adapter: its output is scaled by lora_alpha / r.',
      default: 32,
      min: 0,
      max: 4096,
      above: true,
      step: 1,
      usual: [8, 128],
      source: 'Unsloth Studio, TRL, Axolotl',
    },
    lora_dropout: {
      kind: 'number',
      label: 'Dropout',
      help: 'Fraction of the adapter’s inputs that is dropped at random during training.',
      default: 0,
      min: 0,
      max: 1,
      below: true,
      step: 0.05,
      usual: [0, 0.1],
      source: 'Unsloth Studio',
      group: 'regularisation',
    },
    target_modules: {
      kind: 'modules',
      word: 'all-linear',
      label: 'Target modules',
      help: 'Linear layers that get an adapter: all-linear, or names such as q_proj and v_proj.',
      default: 'all-linear',
      source: 'TRL, PEFT',
    },
    use_rslora: {
      kind: 'bool',
      label: 'Rank-stabilised scaling',
      help: 'Scale by lora_alpha / √r instead of lora_alpha / r, which is more stable at high ranks.',
      default: false,
      source: 'PEFT',
    },
    use_dora: {
      kind: 'bool',
      label: 'DoRA',
      help: 'Learn the magnitude of each weight row separately from its direction.',
      default: false,
      source: 'PEFT',
    },
    init_lora_weights: {
      kind: 'select',
      label: 'Initialisation',
      help: 'What the added matrices start from; pissa uses the principal directions of the weights and often learns faster.',
      default: 'default',
      options: options({
        default: 'A random, B zero',
        gaussian: 'A from a normal distribution, B zero',
        pissa: 'Largest singular values (PiSSA)',
      }),
      source: 'PEFT',
    },
    rank_pattern: {
      kind: 'pattern',
      whole: true,
      min: 1,
      max: 256,
      label: 'Rank overrides',
      help: 'Ranks that override r, by module name: {"layers.0.self_attn.q_proj": 32}.',
      default: {},
      source: 'PEFT',
    },
    alpha_pattern: {
      kind: 'pattern',
      whole: false,
      min: 0,
      max: 4096,
      above: true,
      label: 'Alpha overrides',
      help: 'Alphas that override lora_alpha, by module name.',
      default: {},
      source: 'PEFT',
    },
    loraplus_lr_ratio: {
      kind: 'number',
      label: 'LoRA+',
      help: 'Learning rate of B divided by that of A; 1 switches LoRA+ off.',
      default: 1,
      min: 1,
      max: 1000,
      step: 1,
      usual: [1, 16],
      source: 'PEFT (off)',
    },
    modules_to_save: MODULES_TO_SAVE,
    init_adapter: INIT_ADAPTER,
  },
  sizes: {
    // Alpha is twice the rank, as in the defaults.
    stops: [
      { r: 4, lora_alpha: 8 },
      { r: 8, lora_alpha: 16 },
      { r: 16, lora_alpha: 32 },
      { r: 32, lora_alpha: 64 },
      { r: 64, lora_alpha: 128 },
    ],
    words: ({ r }) => `rank ${r}`,
  },
  // pirate-chat: validation loss falls from 6.51 to 3.25 in 20 steps (to 6.11 in 24 at the usual 2e-4).
  tinyModelRate: 2e-3,
  summary: (section, quantized) => `${quantized ? 'Q' : ''}${kin(section)} r${section.r}`,
  sentence(section) {
    const { target_modules, r } = section;
    const where = target_modules === 'all-linear' ? 'all linear layers' : target_modules.join(', ');
    return `${kin(section)} of rank ${r} on ${where}; the rest of the model is frozen.`;
  },
  noun: (section) => `A ${kin(section)} adapter`,
  problems: (section) => moduleProblems(section, 'all-linear'),
  quantizedRefusal: ({ init_lora_weights }) => (init_lora_weights === 'pissa' ? pissaRefusal : null),
  smaller({ r, lora_alpha, init_adapter }) {
    if (r <= 4 || init_adapter !== null) return null;
    const half = Math.ceil(r / 2);
    // alpha / r, which scales the adapter's output, stays the same.
    return { label: `Rank ${half}`, changes: { r: half, lora_alpha: (lora_alpha * half) / r } };
  },
  modulesToSave: ({ modules_to_save }) => modules_to_save,
  keptWhenContinuing: ['lora_dropout', 'loraplus_lr_ratio'],
  fileRemark({ use_rslora, alpha_pattern, lora_alpha }) {
    const parts = [
      ...(use_rslora ? ['rsLoRA’s scale'] : []),
      ...(Object.keys(alpha_pattern).length > 0 ? ['the alphas of `alpha_pattern`'] : []),
      ...(lora_alpha === 0 ? ['the alpha of 0'] : []),
    ];
    if (parts.length === 0) return null;
    return `In the file, ${parts.join(' and ')} ${parts.length > 1 || /^the alphas/.test(parts[0]!) ? 'are' : 'is'} multiplied into B, because not every program reads the setting: \`adapter_config.json\` has plain \`lora_alpha / r\`, and the change of each weight is the same.`;
  },
  llamaCpp: (section) => noDora(section) ?? savedInFull(section),
  mlx: savedInFull,
  vllm: (section) => noDora(section) ?? savedInFull(section) ?? vllmRank(section),
  files: peftFormat<LoraMethod, PeftLoraConfig>({
    kind: loraKind,
    section({ config, tensors }, modules_to_save) {
      const { r, lora_alpha, lora_dropout, use_rslora, use_dora, rank_pattern, alpha_pattern } = config;
      const suffix = '.lora_A.weight';
      return {
        type: 'lora',
        ...{ r, lora_alpha, lora_dropout, use_rslora, use_dora, rank_pattern, alpha_pattern, modules_to_save },
        // The tensors show which modules the names matched.
        target_modules: [...tensors.keys()].flatMap((name) =>
          name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : [],
        ),
        init_lora_weights: 'default',
        loraplus_lr_ratio: 1,
        init_adapter: null,
      };
    },
    // The engine provides all of it: ranks and targets as matched on the model, PiSSA's ranks doubled.
    config: (_section, exported) => exported as never,
    modulesToSave: ({ modules_to_save }) => modules_to_save,
    withSaved: (section, modules_to_save) => ({ ...section, modules_to_save }),
    rename: (section, name) =>
      section.target_modules === 'all-linear'
        ? section
        : { ...section, target_modules: section.target_modules.map(name) },
  }),
};
