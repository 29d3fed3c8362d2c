/** Plans runs: turns a recipe, a model and examples (or only a config) into dry runs, and their results into advice. */
import { type BatchShapes, batchShapes, type ExampleSize, isAdditive, sizeOf } from '../data/batches';
import { USUAL_MAX_LENGTH, wholeBuckets } from '../data/lengths';
import { paced } from '../data/paced';
import type { TaskData, TokenizedDataset, TokenizedExample } from '../data/types';
import { readFamilyConfig } from '../families';
import type { CheckedModel } from '../hub/check';
import type { PrecisionPlan } from '../hub/descriptions';
import type { PlanModel } from '../hub/plan';
import { methodOf } from '../methods';
import { objectiveOf, paceOf } from '../objectives';
import { checkRecipe, defaultRecipe } from '../recipe/defaults';
import { withValue } from '../recipe/diff';
import type { RecipePath } from '../recipe/fields';
import { totalSteps } from '../recipe/forecast';
import type { Recipe } from '../recipe/types';
import type { DeviceReport, MemoryAdvice } from './api';
import { type Budget, verdictOf } from './gpu-memory';
import type { DryRun, DryRunPlan, Planner } from './planner';

/** The parts of a model that determine its memory use. */
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
  /** Tokens in each prompt that is answered at every evaluation. */
  prompts: number[];
  /** The task of the head; null without one. */
  task: { problemType: TaskData['problemType']; labels: number } | null;
  /** Pieces of base text. */
  base: ExampleSize[];
  /** Micro-batches of the examples may be taken together. */
  additive?: boolean;
}

const PROMPTS = 3;

export function exampleSizes(
  { train, validation, task }: Pick<TokenizedDataset, 'train' | 'validation' | 'task'>,
  base: TokenizedExample[] = [],
): ExampleSizes {
  // A prompt is what precedes the first answer; only models that write text are asked any.
  const asked = (example: TokenizedExample) => {
    if (example.kind === 'prompt') return [example.ids.length];
    if (example.kind === 'pair' || example.kind === 'judged') return example.promptLength || [];
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
    additive: isAdditive(train),
  };
}

const cut = (sizes: ExampleSize[], length: number): ExampleSize[] =>
  sizes.map(({ tokens, targets, sequences = 1, apart }) => ({
    tokens: Math.min(tokens, length),
    targets: Math.min(targets, sequences * (length - 1)),
    sequences,
    ...(apart && { apart: { ...apart, limit: Math.min(apart.limit, length) } }),
  }));

/** In pieces: the page's thread is free between them, however many examples and steps there are. */
function shapesOf(
  { training, objective, dataset }: Recipe,
  { train, validation, base }: ExampleSizes,
  together: number,
): Promise<BatchShapes> {
  const steps = totalSteps(train.length, { training, objective });
  const shapes = batchShapes(train, validation, {
    batchSize: training.per_device_train_batch_size,
    accumulation: training.gradient_accumulation_steps,
    shuffle: dataset.shuffle,
    seed: training.seed,
    steps,
    pace: paceOf(objective, training),
    together,
    ...(training.replay_ratio > 0 ? { replay: { examples: base, ratio: training.replay_ratio } } : {}),
  });
  return paced(shapes, steps, () => {});
}

function dryRunOf(
  device: DeviceReport,
  { config, tensors }: PlannedModel,
  { method, objective, training, model }: Recipe,
  { prompts, task, base }: ExampleSizes,
  shapes: BatchShapes,
  checkpointing: boolean,
): DryRun {
  const { vendor, architecture, software, features, limits } = device;
  const pace = paceOf(objective, training);
  return {
    device: { vendor, architecture, software, features, limits },
    config,
    tensors,
    quantization: model.quantization,
    method,
    objective,
    task,
    base: base.reduce((most, { tokens }) => Math.max(most, tokens), 0),
    // Settings that do not affect memory are left out, so that changing them needs no new dry run.
    training: {
      ...defaultRecipe().training,
      gradient_accumulation_steps: training.gradient_accumulation_steps,
      per_device_train_batch_size: training.per_device_train_batch_size,
      ...{ optim: training.optim, ema_decay: training.ema_decay, model_dropout: training.model_dropout },
      ...{ ewc_lambda: training.ewc_lambda, l2_sp_alpha: training.l2_sp_alpha },
      neftune_noise_alpha: training.neftune_noise_alpha,
    },
    checkpointing,
    ...(pace && { stepsPerBatch: pace.steps }),
    batches: shapes.training,
    evaluation: shapes.evaluation,
    prompts,
  };
}

export interface RunPlan extends DryRunPlan {
  /** What was planned. */
  run: DryRun;
  checkpointing: boolean;
  /** How many micro-batches go through the model at once (StepOptions). */
  together: number;
}

/** Everything that stays the same while the recipe varies. */
export interface PlanContext {
  planner: Planner;
  device: DeviceReport;
  budget: Budget | null;
  model: PlannedModel;
}

/** Taken as enough to keep a GPU busy: from the sizes of its products, not from a measurement. */
const MOST_TOKENS = 4096;

/**
 * Plans a recipe's run. On a GPU, the micro-batches of a step are taken together as far as they fit comfortably, or as many as are given.
 * With checkpointing on `auto`, it is used if the run would not fit comfortably without it.
 */
export async function planRun(
  context: PlanContext,
  recipe: Recipe,
  sizes: ExampleSizes,
  given: number | null = null,
): Promise<RunPlan> {
  const { planner, device, budget, model } = context;
  const { gradient_checkpointing: asked, gradient_accumulation_steps: accumulation } = recipe.training;
  const plan = async (shapes: BatchShapes, how: Pick<RunPlan, 'checkpointing' | 'together'>): Promise<RunPlan> => {
    const run = dryRunOf(device, model, recipe, sizes, shapes, how.checkpointing);
    return { ...(await planner.plan(run)), run, ...how };
  };
  const fits = ({ refusal, bytes }: RunPlan) =>
    refusal === null && budget !== null && verdictOf(bytes, budget) === 'fits';
  const joins =
    given === null &&
    !device.software &&
    budget !== null &&
    sizes.additive &&
    !paceOf(recipe.objective, recipe.training);
  for (let together = joins ? accumulation : 1; together > 1; together = Math.floor(together / 2)) {
    const shapes = await shapesOf(recipe, sizes, together);
    if (shapes.training.some(({ rows, length }) => rows * length > MOST_TOKENS)) continue;
    const joined = await plan(shapes, { checkpointing: asked === true, together });
    if (fits(joined)) return joined;
  }
  const together = given ?? 1;
  const shapes = await shapesOf(recipe, sizes, together);
  const first = await plan(shapes, { checkpointing: asked === true, together });
  // A recipe from an older version may not have this field.
  if (asked === true || asked === false || !budget || verdictOf(first.bytes, budget) === 'fits') return first;
  const second = await plan(shapes, { checkpointing: true, together });
  return second.bytes < first.bytes ? second : first;
}

/** Steps of bisection: the limit is found to a sixteenth of the range. */
const TRIES = 4;

/**
 * The longest limit, between one that any computer is taken to have memory for and the longest example, under which a run
 * fits; null if all of it does. Without a known budget it is TRL's default.
 */
export async function longestThatFits(
  context: PlanContext,
  recipe: Recipe,
  sizes: ExampleSizes,
  usual: number,
  longest: number,
): Promise<number | null> {
  const upTo = (length: number) => ({
    ...sizes,
    train: cut(sizes.train, length),
    validation: cut(sizes.validation, length),
  });
  const fits = async (length: number) => {
    const plan = await planRun(context, recipe, upTo(length));
    return plan.refusal === null && (context.budget === null || verdictOf(plan.bytes, context.budget) === 'fits');
  };
  // Nobody knows how much memory there is, so TRL's default has to do.
  const most = context.budget === null ? Math.max(usual, Math.min(longest, USUAL_MAX_LENGTH)) : longest;
  if (await fits(most)) return most < longest ? most : null;
  let [low, high] = [usual, most];
  for (let i = 0; i < TRIES; i++) {
    const middle = wholeBuckets((low + high) / 2);
    if (middle <= low || middle >= high) break;
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

type Changes = Partial<Record<RecipePath, unknown>>;

/** Changes that could save memory, each with the text of its button. */
function candidates(recipe: Recipe, plan: RunPlan, sizes: ExampleSizes): { label: string; changes: Changes }[] {
  const { method, training, model, objective } = recipe;
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
  // Where long examples are left out, a lower limit would take away what is learned from.
  const { longTexts } = objectiveOf(objective).data(objective);
  if (half >= 32 && half < longest && longTexts !== 'left_out') {
    list.push({ label: `Truncate examples to ${half} tokens`, changes: { 'dataset.max_length': half } });
  }
  if ('max_completion_length' in objective && objective.max_completion_length >= 64) {
    const shorter = Math.ceil(objective.max_completion_length / 2);
    const changes = { 'objective.max_completion_length': shorter };
    list.push({ label: `Answers of at most ${shorter} tokens`, changes });
  }
  if (model.quantization === 'none') {
    list.push({ label: 'Quantise the model to 4 bits (NF4)', changes: { 'model.quantization': 'nf4' } });
  }
  const smaller = methodOf(method).smaller?.(method);
  if (smaller) {
    const changes = Object.entries(smaller.changes).map(([key, value]) => [`method.${key}`, value]);
    list.push({ label: smaller.label, changes: Object.fromEntries(changes) });
  }
  return list;
}

/** Smaller savings than this share are not worth mentioning. */
const WORTHWHILE = 0.02;

/** Changes that would save memory according to their own plans, largest saving first. */
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
    // Skip what this model does not support, such as a precision.
    const smaller = await planRun(context, changed, shorter).catch(() => null);
    if (!smaller) continue;
    const saves = plan.bytes - smaller.bytes;
    if (saves < WORTHWHILE * plan.bytes) continue;
    const enough = smaller.refusal === null && verdictOf(smaller.bytes, context.budget) === 'fits';
    advice.push({ label, changes, saves, enough });
  }
  return advice.sort((a, b) => b.saves - a.saves);
}

/** Length of the assumed examples when no dataset has been chosen. */
const TYPICAL_TOKENS = 512;

/** In a quantised checkpoint, norms and biases are floats, and so are rows not divisible by the block size. */
function storedAs(dtype: string, shape: number[]): string {
  const block = /^Q\d_K$/.test(dtype) ? 256 : 32;
  if (/^(F32|F16|BF16)$/.test(dtype)) return dtype;
  if (shape.length < 2) return 'F32';
  return shape.at(-1)! % block === 0 ? dtype : 'F16';
}

const PLANNED_DTYPES = /^(F32|F16|BF16|Q8_0|Q4_0|Q4_1|Q5_0|Q5_1|Q4_K|Q5_K|Q6_K)$/;

/** Plans a plain LoRA run of a model from its config alone, at each supported precision. */
export async function planModel(
  context: Omit<PlanContext, 'model'>,
  { config, dtype, kind }: Parameters<PlanModel>[0],
): Promise<PrecisionPlan[]> {
  const { family, config: checked } = readFamilyConfig(config);
  // Most of Q4_K_M is Q4_K.
  const stored = dtype.replace(/_[SML]$/, '');
  // Encoders are not trained to predict the next token, and an unknown precision cannot be planned.
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
  // Decided once, so that the precisions are comparable.
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
