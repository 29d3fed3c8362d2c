/** Prepares a run: everything that can go wrong before it exists, in which case it leaves no record behind. */
import { TabtuneError } from '../base/errors';
import type { DataProblem, ParsedDataset, TokenizedDataset } from '../data/types';
import { usageSentence } from '../data/usage';
import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import { checkCombination, checkFeatures } from '../recipe/compatibility';
import { totalSteps } from '../recipe/forecast';
import type { Recipe } from '../recipe/types';
import { type RewardSection, rewardsOf } from '../rewards';
import { listRuns, withLabels } from '../storage/runs';
import type { InputsChange, RunInputs, RunRecord } from '../storage/types';
import type { TrainJob } from '../workers/engine/api';
import type { AskedPrompt, Preparing, TrainingNeeds } from './active-run';
import type { ChangedInputs } from './api';
import { initAdapterOf } from './continued';
import type { OpenModel } from './models';
import { adapterFingerprint, changedInputs, examplesFingerprint, inputsChanged } from './run-inputs';
import { runName } from './run-name';
import { samplePrompts } from './sample-prompts';

const SAMPLES = 3;

/** The run to resume, the step of its checkpoint, and what to do if its data or model is not what it was trained on. */
export interface ResumedRun {
  record: RunRecord;
  step: number;
  changed: ChangedInputs;
  /** Its rewards are others now: they failed, and were mended. */
  mended: boolean;
}

/** A run's recipe with rewards that were mended. */
export const withRewards = (recipe: Recipe, mended: readonly RewardSection[] | undefined): Recipe =>
  mended && 'rewards' in recipe.objective
    ? { ...recipe, objective: { ...recipe.objective, rewards: [...mended] } }
    : recipe;

/** What the engine gets, and the prompts that it answers at every evaluation. `old` is the run to resume. */
export async function prepareJob(
  needs: TrainingNeeds,
  active: Preparing,
  given: Recipe,
  old: ResumedRun | null,
): Promise<{ job: TrainJob; prompts: AskedPrompt[] }> {
  // What hangs is left behind: a stop must not wait for it.
  const step = <T>(promise: Promise<T>): Promise<T> => Promise.race([active.stopped, promise]);
  const model = await step(needs.model(given.model));
  // A resumed run has its adapter in the checkpoint, and its rank, targets and virtual tokens in the record's recipe.
  const recipe = active.hasCheckpoint ? given : await step(needs.continued(given));
  checkCombination(recipe, model.info);
  checkFeatures(recipe, (await step(needs.device())).features);
  const parsed = await step(needs.dataset(recipe));
  const lasting = old ? asBefore(recipe, old.record) : recipe;
  const tokenized = await step(needs.tokenize(lasting));
  const { train, validation, maxLength } = tokenized;
  if (train.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'No example is left to train on.',
      where: recipe.dataset.source,
      action: 'Look at the problems listed with the data, or hold out a smaller share of it.',
    });
  }
  needs.checkRewards(rewardsOf(recipe.objective), [...train, ...validation]);
  const rewardModels = await step(needs.rewardModels(recipe));
  const initial = active.hasCheckpoint ? null : initAdapterOf(recipe);
  const initAdapter = initial === null ? null : await step(needs.adapterFiles(initial));
  const inputs: RunInputs = {
    model: model.fingerprint,
    dataset: await step(needs.datasetFingerprint(recipe)),
    baseText: await step(needs.baseFingerprint(recipe)),
    initAdapter: initAdapter ? await step(adapterFingerprint(initAdapter)) : (old?.record.inputs?.initAdapter ?? null),
    examples: await step(examplesFingerprint(tokenized)),
  };
  const changed = old ? acceptedChanges(old, inputs, totalSteps(train.length, recipe)) : [];
  // What is known about memory may have changed since, but a resumed run draws the same masks. An older record has no number.
  const before = old && active.hasCheckpoint ? (old.record.together ?? 1) : null;
  const { checkpointing, together, products, shaders } = await step(
    planned(needs, active, recipe, model, tokenized, before),
  );
  const answers = objectiveOf(recipe.objective).learns === 'answers' && model.info.kind === 'decoder';
  const samples = answers ? await step(askedPrompts(needs, model, parsed, { train, validation })) : [];
  const now = Date.now();
  const fresh: RunRecord = {
    id: crypto.randomUUID(),
    name: await freeName(recipe),
    createdAt: now,
    updatedAt: now,
    recipe,
    status: 'running',
    step: 0,
    totalSteps: 0,
    trainableParameters: 0,
    totalParameters: model.info.parameters,
    initialEvalLoss: null,
    bestEvalLoss: null,
    bestStep: null,
    finalLoss: null,
    data: {
      detected: parsed.detected,
      usage: usageSentence(parsed),
      rows: parsed.totalRows,
      examples: parsed.examples.length,
      notes: notesOf(model, [...parsed.problems, ...tokenized.problems]),
    },
    maxLength,
    together,
    error: null,
    inputs,
  };
  let run = fresh;
  if (old && active.hasCheckpoint) {
    const { record } = old;
    run = { ...record, recipe, status: 'running', error: null, updatedAt: now, inputs };
    if (changed.length > 0) run.data = fresh.data;
    const what: InputsChange['what'] = old.mended ? [...changed, 'rewards'] : changed;
    if (what.length > 0) run.changes = [...(record.changes ?? []), { step: old.step, what }];
  }
  // Interrupted before its first checkpoint: the same run, from the beginning.
  else if (old) run = withLabels({ ...fresh, id: old.record.id, createdAt: old.record.createdAt }, old.record);
  const job: TrainJob = {
    run,
    recipe,
    train,
    validation,
    maxLength,
    samplePrompts: samples.map(({ ids }) => ids),
    stopTokenIds: model.tokens.stopTokenIds,
    padTokenId: model.tokens.padTokenId,
    maskTokenId: model.tokens.maskTokenId,
    task: tokenized.task,
    baseText: await step(needs.baseText(lasting)),
    initText: await step(initText(needs, recipe)),
    initAdapter,
    rewardModels,
    checkpointing,
    ...{ together, products, shaders },
    resume: active.hasCheckpoint,
  };
  return { job, prompts: samples };
}

/** Only one tab trains at a time, so no other run can take the name meanwhile. */
async function freeName(recipe: Recipe): Promise<string> {
  // A run must not fail for its name; what is wrong with storage is said when the run is stored.
  const runs = await listRuns().catch((): RunRecord[] => []);
  return runName(recipe, new Set(runs.map(({ name }) => name)));
}

/** What is known about memory may have changed since, but a resumed run goes on with the same tokens. */
function asBefore(recipe: Recipe, { maxLength }: RunRecord): Recipe {
  if (recipe.dataset.max_length !== 'auto' || maxLength === undefined) return recipe;
  return { ...recipe, dataset: { ...recipe.dataset, max_length: maxLength } };
}

/** What a person should know about how the rows became text, each kind once. */
function notesOf({ info }: OpenModel, problems: readonly DataProblem[]): string[] {
  const kinds = new Map<string, { first: DataProblem; count: number }>();
  for (const problem of problems) {
    const kind = kinds.get(problem.code);
    if (kind) kind.count++;
    else kinds.set(problem.code, { first: problem, count: 1 });
  }
  const said = Array.from(kinds.values(), ({ first: { message, action }, count }) =>
    count === 1 ? `${message} ${action}` : `${message} ${action} (and ${count - 1} more)`,
  );
  const gaps = info.templateGaps.length > 0 ? [`The model’s chat template ${info.templateGaps.join('; ')}.`] : [];
  return [...gaps, ...said];
}

/** The inputs that are not what the run was trained on. Throws unless they are to be used and steps are left. */
function acceptedChanges({ record, step, changed }: ResumedRun, inputs: RunInputs, total: number): (keyof RunInputs)[] {
  const found = changedInputs(record, inputs, total);
  if (found.length === 0) return found;
  if (changed === 'refuse') throw inputsChanged(record, inputs, found);
  if (step < total) return found;
  throw new TabtuneError({
    code: 'bad_data',
    message: `“${record.name}” has done ${step} steps, and with the data as it is now there are only ${total}.`,
    where: record.recipe.dataset.source,
    action: 'Start a new run, or put back the file that it was trained on.',
  });
}

/**
 * Whether to use gradient checkpointing, and how many micro-batches to take at once, if `together` does not say. A plan that fails does not
 * stop the run; a plan that refuses it does.
 */
async function planned(
  needs: TrainingNeeds,
  active: Preparing,
  recipe: Recipe,
  model: OpenModel,
  tokenized: TokenizedDataset,
  together: number | null,
) {
  try {
    const plan = await needs.plan(recipe, model, tokenized, together);
    active.plannedBytes = plan.bytes;
    return plan;
  } catch (cause) {
    if (cause instanceof TabtuneError && cause.code === 'gpu_out_of_memory') throw cause;
    console.warn('The run could not be planned.', cause);
    const checkpointing = recipe.training.gradient_checkpointing === true;
    return { checkpointing, together: together ?? 1, products: [], shaders: [] };
  }
}

/** Tokens of the text that virtual tokens start from; empty if the method has none. */
async function initText(needs: TrainingNeeds, { method }: Recipe): Promise<Int32Array> {
  const text = methodOf(method).initText?.(method) ?? '';
  return text === '' ? new Int32Array() : needs.encodeText(text);
}

/** Prompts that leave at least half of the model's context for the answer. */
async function askedPrompts(
  needs: TrainingNeeds,
  model: OpenModel,
  parsed: ParsedDataset,
  tokenized: Pick<TokenizedDataset, 'train' | 'validation'>,
) {
  const found: AskedPrompt[] = [];
  let tried = 0;
  for (const { text, system, expected } of samplePrompts(parsed, tokenized)) {
    if (found.length === SAMPLES || tried++ === 10 * SAMPLES) break;
    const ids = await needs.encodePrompt(text, system).catch((cause: unknown) => {
      // A template may refuse one prompt (a system message, say); one that had to be killed ends the preparation.
      if (cause instanceof TabtuneError && cause.code === 'timeout') throw cause;
      return null;
    });
    if (ids && ids.length > 0 && ids.length <= model.info.contextLength / 2) found.push({ text, ids, expected });
  }
  return found;
}
