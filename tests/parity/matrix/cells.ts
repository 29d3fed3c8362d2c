/**
 * Every method × family × objective as a list of cells, which the tests run through and docs/METHODS.md is generated from.
 */
import type { CombinedModel } from '../../../src/recipe/compatibility';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { MethodSection, MethodType, ObjectiveType, Recipe, RecipeInput } from '../../../src/recipe/types';

export const METHODS: readonly MethodType[] = [
  'lora',
  'ia3',
  'bottleneck',
  'prefix_tuning',
  'prompt_tuning',
  'p_tuning',
  'full',
  'head',
  'gradual_unfreezing',
];

export const OBJECTIVES: readonly ObjectiveType[] = [
  'sft',
  'pretraining',
  'sequence_classification',
  'token_classification',
  'masked_lm',
  'dpo',
  'kto',
  'orpo',
  'cpo',
  'reward',
  'rejection_sampling',
  'grpo',
  'rloo',
  'ppo',
  'online_dpo',
];

/** Those that learn from rewards of their own answers. */
export const REWARDED: readonly ObjectiveType[] = ['rejection_sampling', 'grpo', 'rloo', 'ppo', 'online_dpo'];

export const PROBLEM_TYPES = ['single_label_classification', 'multi_label_classification', 'regression'] as const;
export type ProblemType = (typeof PROBLEM_TYPES)[number];

export interface MatrixFamily {
  /** Hugging Face's model_type. */
  name: string;
  kind: CombinedModel['kind'];
  /** In tests/fixtures, with config.json and model.safetensors. */
  folder: string;
  /** Without its language modelling head, and with BERT's pooler: the form in which sentence encoders are published. */
  bare?: true;
}

const family = (kind: MatrixFamily['kind'], name: string, folder = `families/${name}`): MatrixFamily => ({
  name,
  kind,
  folder,
});

/** In the order of src/families. */
export const FAMILIES: readonly MatrixFamily[] = [
  family('decoder', 'llama', 'llama/gqa-untied-odd'),
  ...['mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text', 'phi3', 'smollm3', 'gpt2', 'gpt_neox'].map((name) =>
    family('decoder', name),
  ),
  ...['bert', 'roberta', 'distilbert'].map((name) => family('encoder', name)),
];

/** Variants of LoRA, each with the field that selects it. */
export const VARIANTS = {
  DoRA: { use_dora: true },
  PiSSA: { init_lora_weights: 'pissa' },
  rsLoRA: { use_rslora: true },
} as const;
export type Variant = keyof typeof VARIANTS;

export interface Cell {
  family: MatrixFamily;
  method: MethodType;
  objective: ObjectiveType;
  /** Sequence classification. */
  problemType?: ProblemType;
  variant?: Variant;
}

/** The problem types of sequence classification alternate, so that each family and each method covers all three. */
export const CELLS: readonly Cell[] = FAMILIES.flatMap((of, f) =>
  OBJECTIVES.flatMap((objective) =>
    METHODS.map((method, m): Cell => {
      const cell = { family: of, method, objective };
      if (objective !== 'sequence_classification') return cell;
      return { ...cell, problemType: PROBLEM_TYPES[(f + m) % PROBLEM_TYPES.length]! };
    }),
  ),
);

/** One family of each kind: separate linear layers, Conv1D, and an encoder. */
export const VARIANT_CELLS: readonly Cell[] = FAMILIES.filter(({ name }) =>
  ['llama', 'gpt2', 'bert'].includes(name),
).flatMap((of) =>
  (Object.keys(VARIANTS) as Variant[]).flatMap((variant, v) =>
    ([of.kind === 'decoder' ? 'sft' : 'masked_lm', 'sequence_classification'] as const).map(
      (objective): Cell => ({
        ...{ family: of, method: 'lora', objective, variant },
        ...(objective === 'sequence_classification' ? { problemType: PROBLEM_TYPES[v] } : {}),
      }),
    ),
  ),
);

export const BARE: readonly MatrixFamily[] = FAMILIES.filter(({ kind }) => kind === 'encoder').map((of) => ({
  ...of,
  bare: true,
}));

/** Classifiers on bare encoders, whose tensor names lack the prefix that they have in transformers' classifiers. */
export const BARE_CELLS: readonly Cell[] = BARE.flatMap((of, f) =>
  (['sequence_classification', 'token_classification'] as const).flatMap((objective) =>
    METHODS.filter((method) => method !== 'prefix_tuning').map(
      (method, m): Cell => ({
        ...{ family: of, method, objective },
        ...(objective === 'sequence_classification' ? { problemType: PROBLEM_TYPES[(f + m + 2) % 3] } : {}),
      }),
    ),
  ),
);

export const nameOf = ({ family, method, objective, problemType, variant }: Cell): string =>
  [family.bare && 'bare', family.name, variant ?? method, objective, problemType].filter(Boolean).join(' ');

/** The model as the recipe's checks see it. */
export const combined = (
  { kind, bare }: Pick<MatrixFamily, 'kind' | 'bare'>,
  more: Partial<CombinedModel> = {},
): CombinedModel => ({
  title: 'This model',
  kind,
  dtype: 'BF16',
  hasHead: !bare,
  ...more,
});

/** Learning rates with a visible effect after a few steps on two tiny layers; the recipe's defaults are for real models. */
const RATES: Record<MethodType, number> = {
  lora: 2e-2,
  ia3: 1e-1,
  bottleneck: 5e-2,
  prefix_tuning: 1e-1,
  prompt_tuning: 1e-1,
  p_tuning: 3e-2,
  full: 5e-3,
  head: 5e-2,
  gradual_unfreezing: 2e-2,
};

/** Lower for regression, which overshoots easily, as do token outputs of decoders with virtual tokens: no norm follows them. */
function rateOf({ method, objective, problemType, family: { kind } }: Cell): number {
  const rate = RATES[method];
  if (problemType === 'regression') return 0.15 * rate;
  if (objective === 'reward') return 0.3 * rate;
  const virtual = ['prefix_tuning', 'prompt_tuning', 'p_tuning'].includes(method);
  // A ratio of probabilities is clipped, and then there is no way back.
  if (virtual && REWARDED.includes(objective)) return 0.1 * rate;
  if (objective === 'ppo') return 0.3 * rate;
  return virtual && kind === 'decoder' && objective !== 'sequence_classification' ? 0.25 * rate : rate;
}

/** Sizes for models with twenty channels. */
const SIZES: Partial<Record<MethodType, Record<string, unknown>>> = {
  lora: { r: 3 },
  bottleneck: { reduction_factor: 4 },
  prefix_tuning: { num_virtual_tokens: 3 },
  prompt_tuning: { num_virtual_tokens: 3 },
  p_tuning: { num_virtual_tokens: 3 },
};

export const STEPS = 5;

/** Short answers, used for every step: then the loss on them must fall. */
const ROLLOUTS = { num_generations: 4, max_completion_length: 5 };

/** The recipe's own defaults, except for sizes, learning rates and the length of the run. */
export function recipeInput(cell: Cell): RecipeInput {
  const { method, objective, problemType, variant } = cell;
  return {
    version: 1,
    method: {
      type: method,
      ...SIZES[method],
      // Token classification uses one configuration and the other objectives the other, to cover both.
      ...(method === 'bottleneck' && objective === 'token_classification' ? { config: 'double_seq_bn' } : {}),
      ...(variant ? VARIANTS[variant] : {}),
    } as MethodSection,
    objective: {
      type: objective,
      ...(problemType ? { problem_type: problemType } : {}),
      ...(objective === 'masked_lm' ? { mlm_probability: 0.95 } : {}),
      // Without it a bias of the head, which moves all scores alike, learns nothing.
      ...(objective === 'reward' ? { center_rewards_coefficient: 0.01 } : {}),
      ...(REWARDED.includes(objective) ? { rewards: [{ type: 'length' }] } : {}),
      // Without a limit on its ratio, an answer is learned in every step, with layers that join late too.
      ...(['rejection_sampling', 'grpo', 'rloo'].includes(objective) ? ROLLOUTS : {}),
      ...(['grpo', 'rloo'].includes(objective) ? { num_iterations: STEPS, epsilon: 10 } : {}),
      ...(objective === 'online_dpo' ? { max_new_tokens: 5 } : {}),
      ...(objective === 'ppo' ? { response_length: 5, num_ppo_epochs: STEPS, cliprange: 10 } : {}),
    } as Recipe['objective'],
    training: {
      learning_rate: rateOf(cell),
      max_steps: STEPS,
      per_device_train_batch_size: objective === 'online_dpo' ? 2 : REWARDED.includes(objective) ? 8 : 2,
      gradient_accumulation_steps: 1,
    },
  };
}

/** Throws if the recipe by itself is refused. */
export const recipeOf = (cell: Cell): Recipe => resolveRecipe(recipeInput(cell));
