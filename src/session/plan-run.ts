/** Questions for the planner: from a recipe, a model and examples (or a config alone) to dry runs, and what came of them. */
import { batchShapes, type ExampleSize, targetsOf } from '../data/batches';
import type { TaskData, TokenizedDataset, TokenizedExample } from '../data/types';
import { readFamilyConfig } from '../families';
import type { CheckedModel } from '../hub/check';
import type { PrecisionPlan } from '../hub/descriptions';
import type { PlanModel } from '../hub/plan';
import { methodOf } from '../methods';
import { checkRecipe, defaultRecipe } from '../recipe/defaults';
import { withValue } from '../recipe/diff';
import type { RecipePath } from '../recipe/fields';
import { totalSteps } from '../recipe/forecast';
import type { Recipe } from '../recipe/types';
import type { DeviceReport, MemoryAdvice } from './api';
import { type Budget, verdictOf } from './gpu-memory';
import type { DryRun, DryRunResult, Planner } from './planner';

/** What of a model decides the memory it takes. */
export interface PlannedModel {
  config: Record<string, unknown>;
  tensors: DryRun['tensors'];
}

export const plannedModel = ({ json, tensors }: CheckedModel): PlannedModel => ({
  config: json,
  tensors: [...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
});

export interface ExampleSizes {
  train: ExampleSize[];
  validation: ExampleSize[];
  /** Tokens of the prompts that are answered at every evaluation. */
  prompts: number[];
  /** What a head is made for; null without one. */
  task: { problemType: TaskData['problemType']; labels: number } | null;
  /** Pieces of base text. */
  base: ExampleSize[];
}

const PROMPTS = 3;

export function exampleSizes(
  { train, validation, task }: Pick<TokenizedDataset, 'train' | 'validation' | 'task'>,
  base: TokenizedExample[] = [],
): ExampleSizes {
  const sizeOf = (example: TokenizedExample) => ({ tokens: example.ids.length, targets: targetsOf(example) });
  // A prompt is what precedes the first answer; only models that write text are asked any.
  const asked = (example: TokenizedExample) => {
    if (example.kind !== 'next_token') return [];
    const answer = example.labels.findIndex((label) => label >= 0);
    return [Math.max(1, answer === -1 ? example.labels.length : answer)];
  };
  return {
    train: train.map(sizeOf),
    validation: validation.map(sizeOf),
    prompts: [...validation, ...train].slice(0, PROMPTS).flatMap(asked),
    task: task && { problemType: task.problemType, labels: task.labels.length },
    base: base.map(sizeOf),
  };
}

const cut = (sizes: ExampleSize[], length: number) =>
  sizes.map(({ tokens, targets }) => ({ tokens: Math.min(tokens, length), targets: Math.min(targets, length - 1) }));

function dryRunOf(
  device: DeviceReport,
  { config, tensors }: PlannedModel,
  { method, objective, training, dataset, model }: Recipe,
  { train, validation, prompts, task, base }: ExampleSizes,
  checkpointing: boolean,
): DryRun {
  const { vendor, architecture, software, features, limits } = device;
  const shapes = batchShapes(train, validation, {
    batchSize: training.per_device_train_batch_size,
    accumulation: training.gradient_accumulation_steps,
    shuffle: dataset.shuffle,
    seed: training.seed,
    steps: totalSteps(train.length, training),
    ...(training.replay_ratio > 0 ? { replay: { examples: base, ratio: training.replay_ratio } } : {}),
  });
  return {
    device: { vendor, architecture, software, features, limits },
    config,
    tensors,
    quantization: model.quantization,
    method,
    objective,
    task,
    base: base.reduce((most, { tokens }) => Math.max(most, tokens), 0),
    // What does not touch memory is left out, so that a change of it is no new question.
    training: {
      ...defaultRecipe().training,
      gradient_accumulation_steps: training.gradient_accumulation_steps,
      ...{ optim: training.optim, ema_decay: training.ema_decay, model_dropout: training.model_dropout },
      ...{ ewc_lambda: training.ewc_lambda, l2_sp_alpha: training.l2_sp_alpha },
      neftune_noise_alpha: training.neftune_noise_alpha,
    },
    checkpointing,
    batches: shapes.training,
    evaluation: shapes.evaluation,
    prompts,
  };
}

export interface RunPlan extends DryRunResult {
  checkpointing: boolean;
}

/** Everything that stays the same while a recipe is varied. */
export interface PlanContext {
  planner: Planner;
  device: DeviceReport;
  budget: Budget | null;
  model: PlannedModel;
}

/** The recipe's run; where checkpointing is left to Tabtune, with it when the run would not fit comfortably without. */
export async function planRun(context: PlanContext, recipe: Recipe, sizes: ExampleSizes): Promise<RunPlan> {
  const { planner, device, budget, model } = context;
  const plan = async (checkpointing: boolean): Promise<RunPlan> => ({
    ...(await planner.plan(dryRunOf(device, model, recipe, sizes, checkpointing))),
    checkpointing,
  });
  const asked = recipe.training.gradient_checkpointing;
  const first = await plan(asked === true);
  // A recipe of an older version has no such field.
  if (asked === true || asked === false || !budget || verdictOf(first.bytes, budget) === 'fits') return first;
  const second = await plan(true);
  return second.bytes < first.bytes ? second : first;
}

type Changes = Partial<Record<RecipePath, unknown>>;

/** What could make a run smaller, each with the label of its button. */
function candidates(recipe: Recipe, plan: RunPlan, sizes: ExampleSizes): { label: string; changes: Changes }[] {
  const { method, training, model } = recipe;
  const list: { label: string; changes: Changes }[] = [];
  if (!plan.checkpointing) {
    list.push({ label: 'Turn on gradient checkpointing', changes: { 'training.gradient_checkpointing': true } });
  }
  const rows = training.per_device_train_batch_size;
  if (rows > 1) {
    const batch = Math.ceil(rows / 2);
    const accumulation = Math.round((rows * training.gradient_accumulation_steps) / batch);
    list.push({
      label: `Batch size ${batch}, gradient accumulation ${accumulation}`,
      changes: {
        'training.per_device_train_batch_size': batch,
        'training.gradient_accumulation_steps': accumulation,
      },
    });
  }
  const longest = [...sizes.train, ...sizes.validation].reduce((most, { tokens }) => Math.max(most, tokens), 0);
  const half = Math.ceil(longest / 2 / 32) * 32;
  if (half >= 32 && half < longest) {
    list.push({ label: `Cut examples at ${half} tokens`, changes: { 'dataset.max_length': half } });
  }
  if (model.quantization === 'none') {
    list.push({ label: 'Keep the model in 4 bits (NF4)', changes: { 'model.quantization': 'nf4' } });
  }
  const smaller = methodOf(method).smaller?.(method);
  if (smaller) {
    const changes = Object.entries(smaller.changes).map(([key, value]) => [`method.${key}`, value]);
    list.push({ label: smaller.label, changes: Object.fromEntries(changes) });
  }
  return list;
}

/** Below this a change is not worth its mention. */
const WORTHWHILE = 0.02;

/** What would make the run smaller, each planned, the greatest effect first. */
export async function adviceFor(
  context: PlanContext,
  recipe: Recipe,
  sizes: ExampleSizes,
  plan: RunPlan,
): Promise<MemoryAdvice[]> {
  const advice: MemoryAdvice[] = [];
  for (const { label, changes } of candidates(recipe, plan, sizes)) {
    let changed = recipe;
    for (const [path, value] of Object.entries(changes)) changed = withValue(changed, path as RecipePath, value);
    if (checkRecipe(changed).problems.length > 0) continue;
    const length = changes['dataset.max_length'];
    const shorter =
      typeof length === 'number'
        ? { ...sizes, train: cut(sizes.train, length), validation: cut(sizes.validation, length) }
        : sizes;
    // What this model cannot do (a precision that it does not come in) is no advice.
    const smaller = await planRun(context, changed, shorter).catch(() => null);
    if (!smaller) continue;
    const saves = plan.bytes - smaller.bytes;
    if (saves < WORTHWHILE * plan.bytes) continue;
    const enough = smaller.refusal === null && verdictOf(smaller.bytes, context.budget) === 'fits';
    advice.push({ label, changes, saves, enough });
  }
  return advice.sort((a, b) => b.saves - a.saves);
}

/** Examples of a model that nobody has chosen a dataset for. */
const TYPICAL_TOKENS = 512;

/** Norms and biases of a quantised checkpoint are floats, and so are rows that its blocks do not divide. */
function storedAs(dtype: string, shape: number[]): string {
  const block = /^Q\d_K$/.test(dtype) ? 256 : 32;
  if (/^(F32|F16|BF16)$/.test(dtype)) return dtype;
  if (shape.length < 2) return 'F32';
  return shape.at(-1)! % block === 0 ? dtype : 'F16';
}

const PLANNED_DTYPES = /^(F32|F16|BF16|Q8_0|Q4_0|Q4_1|Q5_0|Q5_1|Q4_K|Q5_K|Q6_K)$/;

/** A plain LoRA run of a model by its config alone, in each precision that it can be kept in. */
export async function planModel(
  context: Omit<PlanContext, 'model'>,
  { config, dtype, kind }: Parameters<PlanModel>[0],
): Promise<PrecisionPlan[]> {
  const { family, config: checked } = readFamilyConfig(config);
  // Q4_K_M is Q4_K for the most part.
  const stored = dtype.replace(/_[SML]$/, '');
  // Encoders are not trained on next tokens, and of an unknown precision nothing can be said.
  if (family.kind === 'encoder' || !PLANNED_DTYPES.test(stored)) return [];
  const model: PlannedModel = {
    config,
    tensors: family
      .tensors(checked)
      .filter(({ optional }) => !optional)
      .map(({ name, shape }) => [name, { dtype: storedAs(stored, shape), shape }]) as DryRun['tensors'],
  };
  const tokens = Math.min(TYPICAL_TOKENS, checked.max_position_embeddings);
  const typical = Array.from({ length: 8 }, () => ({ tokens, targets: Math.floor(tokens / 2) }));
  const sizes: ExampleSizes = { train: typical, validation: [], prompts: [], task: null, base: [] };
  const plans: PrecisionPlan[] = [];
  // Decided once, so that the precisions can be compared.
  let checkpointing: boolean | 'auto' = 'auto';
  for (const quantization of kind === 'gguf' ? (['none'] as const) : (['none', 'q8', 'nf4'] as const)) {
    const precise = withValue(defaultRecipe(), 'model.quantization', quantization);
    const recipe = withValue(precise, 'training.gradient_checkpointing', checkpointing);
    if (checkRecipe(recipe).problems.length > 0) continue;
    const plan = await planRun({ ...context, model }, recipe, sizes);
    checkpointing = plan.checkpointing;
    plans.push({
      quantization,
      weightBytes: plan.parts.weights,
      totalBytes: plan.bytes,
      verdict: plan.refusal ? 'too_big' : verdictOf(plan.bytes, context.budget),
    });
  }
  return plans;
}
