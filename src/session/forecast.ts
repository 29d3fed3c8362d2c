/** What a run would take, and everything that stands in its way, before it starts. */
import { formatBytes } from '../base/bytes';
import { type ErrorData, TabtuneError } from '../base/errors';
import { partsOfBaseText } from '../data/base-text-parts';
import { USUAL_MAX_LENGTH, usualLength } from '../data/lengths';
import type { TokenizedDataset, TokenizedExample } from '../data/types';
import type { Shader } from '../engine/run/dry-run';
import { apart } from '../hub/apart';
import { type CheckedModel, checkModelFolder } from '../hub/check';
import type { PrecisionPlan } from '../hub/descriptions';
import type { PlanModel } from '../hub/plan';
import { checkCombination, checkFeatures } from '../recipe/compatibility';
import { checkRecipe } from '../recipe/defaults';
import { totalSteps } from '../recipe/forecast';
import type { Recipe } from '../recipe/types';
import type { DeviceReport, Forecast } from './api';
import { initAdapterOf } from './continued';
import { type GpuMemory, verdictOf } from './gpu-memory';
import type { OpenModel } from './models';
import {
  adviceFor,
  type ExampleSizes,
  exampleSizes,
  longestThatFits,
  type PlanContext,
  type PlannedModel,
  planModel,
  plannedModel,
  planRun,
  type RunPlan,
} from './plan-run';
import type { Planner } from './planner';

export interface ForecastNeeds {
  planner: Planner;
  memory: GpuMemory;
  device(): Promise<DeviceReport>;
  /** Throws when it is not open. */
  model(source: string): OpenModel;
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
  /** Pieces of dataset.base_text; none where the recipe needs none. */
  baseText(recipe: Recipe): Promise<TokenizedExample[]>;
  /** The recipe as its run will have it: with the settings of the adapter that it continues. */
  continued(recipe: Recipe): Promise<Recipe>;
  /** Tokens a second of a run of this model on this device; null until there was one. */
  pace(source: string): number | null;
}

const unknown: Omit<Forecast, 'blockers'> = {
  trainableParameters: 0,
  totalParameters: 0,
  memory: { weights: 0, adapter: 0, gradients: 0, optimizer: 0, activations: 0, logits: 0 },
  totalBytes: 0,
  totalSteps: 0,
  tokens: 0,
  seconds: null,
};

export class ForecastSession {
  private readonly sizes = new WeakMap<TokenizedDataset, { base: TokenizedExample[]; sizes: ExampleSizes }>();
  private readonly models = new WeakMap<OpenModel, Promise<PlannedModel>>();

  constructor(private readonly needs: ForecastNeeds) {}

  /** Never rejects: what goes wrong on the way is a blocker. Figures that cannot be known are 0. */
  async forecast(recipe: Recipe): Promise<Forecast> {
    const { needs } = this;
    const blockers: ErrorData[] = [];
    const attempt = async <T>(work: () => T | Promise<T>): Promise<T | null> => {
      try {
        return await work();
      } catch (cause) {
        const words = { code: 'internal', message: 'The run could not be planned.' } as const;
        blockers.push(TabtuneError.from(cause, words).toData());
        return null;
      }
    };
    const device = await attempt(() => needs.device());
    if (device?.problem) blockers.push(device.problem);
    const checked = checkRecipe(recipe);
    blockers.push(...checked.problems);
    if (!device?.available || !checked.recipe) return { ...unknown, blockers };

    const { source } = checked.recipe.model;
    const model = await attempt(() => needs.model(source));
    const resolved = model && (await attempt(() => needs.continued(checked.recipe!)));
    if (!model || !resolved) return { ...unknown, blockers };
    const fitting = await attempt(() => {
      checkCombination(resolved, model.info);
      checkFeatures(resolved, device.features);
      return true;
    });
    if (!fitting) return { ...unknown, blockers };
    const target_modules = 'target_modules' in resolved.method ? resolved.method.target_modules : 'auto';
    const { linearModules } = model.info;
    // The modules of an adapter that is continued have been compared with the model's already.
    const targeted =
      initAdapterOf(resolved) !== null ||
      typeof target_modules === 'string' ||
      target_modules.some((target) => linearModules.includes(lastPart(target)));
    if (!targeted) {
      blockers.push({
        code: 'bad_recipe',
        message: `names no module of ${model.info.title}, so nothing would be trained.`,
        where: 'method.target_modules',
        action: `Use all-linear, or some of ${linearModules.join(', ')}.`,
      });
    }
    const tokenized = await attempt(() => needs.tokenize(resolved));
    if (!tokenized) return { ...unknown, blockers };
    const { train, stats } = tokenized;
    if (train.length === 0) {
      blockers.push({
        code: 'bad_data',
        message: 'No example is left to train on.',
        where: resolved.dataset.source,
        action: 'Look at the problems listed with the data, or hold out a smaller share of it.',
      });
    }
    // What cannot run has no memory to be planned.
    if (blockers.length > 0) return { ...unknown, blockers };

    const steps = totalSteps(train.length, resolved);
    const { per_device_train_batch_size: rows, gradient_accumulation_steps: batches } = resolved.training;
    const tokens = Math.round((steps * rows * batches * stats.tokens) / train.length);
    const pace = needs.pace(resolved.model.source);
    const known = { totalSteps: steps, tokens, seconds: pace ? tokens / pace : null };
    const figures = await attempt(() => this.memoryOf(device, model, resolved, tokenized));
    if (figures?.refused) blockers.push(figures.refused);
    return { ...unknown, ...known, ...figures?.forecast, blockers };
  }

  /**
   * How the run is to be made, as the forecast says, from the recipe as it will have it; throws where this GPU cannot. A resumed
   * run takes `together` micro-batches at once, as before. On a graphics card, with the shaders that the run compiles first.
   */
  async plan(
    recipe: Recipe,
    model: OpenModel,
    tokenized: TokenizedDataset,
    together: number | null = null,
  ): Promise<RunPlan & { shaders: Shader[] }> {
    const device = await this.needs.device();
    const context = await this.context(device, model);
    const plan = await planRun(context, recipe, await this.sizesOf(recipe, tokenized), together);
    const refused = refusalOf(plan);
    if (refused) throw TabtuneError.fromData(refused);
    // A run does without: it then compiles each shader when it is first needed.
    const shaders = device.software ? [] : await context.planner.shaders(plan.run).catch(() => []);
    return { ...plan, shaders };
  }

  /**
   * The longest limit under which a run is sure to fit, if that is less than the longest example; null if none is needed.
   * Without a forecast it is TRL's default. Never rejects: a run that cannot be planned is refused elsewhere.
   */
  async lengthThatFits(recipe: Recipe, tokenized: TokenizedDataset): Promise<number | null> {
    const { maxLength, stats } = tokenized;
    const usual = usualLength(stats.percentile95);
    const safe = Math.max(usual, Math.min(maxLength, USUAL_MAX_LENGTH));
    if (maxLength <= usual) return null;
    try {
      const device = await this.needs.device();
      const context = await this.context(device, this.needs.model(recipe.model.source));
      // Base text is cut to the limit that is looked for here.
      return await longestThatFits(context, recipe, exampleSizes(tokenized), usual, maxLength);
    } catch {
      return safe < maxLength ? safe : null;
    }
  }

  /** What a plain run of a model would take, from its config alone. */
  planModel: PlanModel = async (what): Promise<PrecisionPlan[]> => {
    const { planner, memory } = this.needs;
    const device = await this.needs.device();
    if (!device.available) return [];
    return planModel({ planner, device, budget: memory.budget(device) }, what);
  };

  private async memoryOf(device: DeviceReport, model: OpenModel, recipe: Recipe, tokenized: TokenizedDataset) {
    const context = await this.context(device, model);
    const sizes = await this.sizesOf(recipe, tokenized);
    const plan = await planRun(context, recipe, sizes);
    const refused = refusalOf(plan);
    const verdict = refused ? 'too_big' : verdictOf(plan.bytes, context.budget);
    const { budget } = context;
    const forecast: Partial<Forecast> = {
      trainableParameters: plan.trainableParameters,
      totalParameters: plan.totalParameters,
      memory: plan.parts,
      totalBytes: plan.bytes,
      verdict,
      budget: budget && { bytes: budget.bytes, how: budget.how },
      gradientCheckpointing: plan.checkpointing,
      microBatchesTogether: plan.together,
      advice: verdict === 'fits' || verdict === 'unknown' ? [] : await adviceFor(context, recipe, sizes, plan),
    };
    return { forecast, refused };
  }

  private async context(device: DeviceReport, model: OpenModel): Promise<PlanContext> {
    const { planner, memory } = this.needs;
    let planned = this.models.get(model);
    if (!planned) {
      const stored = (checked: CheckedModel) => plannedModel(model.info.headApart ? apart(checked) : checked);
      planned = checkModelFolder(model.folder).then(stored);
      this.models.set(model, planned);
      planned.catch(() => this.models.delete(model));
    }
    return { planner, device, budget: memory.budget(device), model: await planned };
  }

  private async sizesOf(recipe: Recipe, tokenized: TokenizedDataset): Promise<ExampleSizes> {
    const base = await this.needs.baseText(recipe);
    const known = this.sizes.get(tokenized);
    if (known?.base === base) return known.sizes;
    const sizes = exampleSizes(tokenized, partsOfBaseText(base).learned);
    this.sizes.set(tokenized, { base, sizes });
    return sizes;
  }
}

const limitNames = {
  maxBufferSize: 'buffer',
  maxStorageBufferBindingSize: 'buffer binding',
} as const;

const partNames: Record<keyof RunPlan['parts'], string> = {
  weights: 'the model’s weights',
  adapter: 'the adapter',
  gradients: 'the gradients',
  optimizer: 'the optimiser’s state',
  activations: 'the activations',
  logits: 'the logits',
  cache: 'the keys and values of answers',
};

/** Certain, unlike the amount of memory: the device states its limits. */
function refusalOf({ refusal }: RunPlan): ErrorData | null {
  if (!refusal) return null;
  return {
    code: 'gpu_out_of_memory',
    message: `The run needs a single ${limitNames[refusal.limit]} of ${formatBytes(refusal.bytes)} for ${partNames[refusal.part]}, which is larger than this GPU allows.`,
    where: 'GPU',
    action: 'Use a smaller batch size, a shorter max length or a smaller model.',
    details: `${refusal.limit}: ${refusal.bytes} bytes requested`,
  };
}

const lastPart = (path: string) => path.split('.').at(-1)!;
