/**
 * Checks whether the values of a recipe work together and are supported. Every refusal is one sentence at the field to change. A
 * value without effect is not refused, since recipes are often edited one field at a time, but it gets a note: nothing that the
 * user sets is ignored silently.
 */

import { columnParts, isPartKey } from '../data/parts';
import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import { rewardsOf } from '../rewards';
import { objectiveContext, recipeRefusals } from './compatibility';
import { applies, field, fieldsOf, valueAt } from './fields';
import { impossibleRewards } from './reward-schema';
import { allowedNumber, problem, type RecipeProblem } from './schema';
import type { Refusal } from './spec';
import { alternatives, suggest } from './suggest';
import type { Recipe } from './types';

/** About a field that has no effect, or whose value is unusual. */
export interface RecipeNote {
  where: string;
  message: string;
}

const builtinName = /^builtin:[a-z0-9][a-z0-9._-]*$/;
/** ORG/NAME on the Hub, optionally followed by @REVISION and /FILE.gguf. */
const hubName = /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w.%-]+|@refs\/\w+\/[\w.-]+)?(\/[^@]+\.gguf)?$/i;

function modelProblems(where: string, source: string): RecipeProblem[] {
  if (builtinName.test(source) || /^file:.*\S/.test(source)) return [];
  const name = source.replace(/^hf:/, '');
  if (hubName.test(name)) {
    if (source !== name) return [];
    return [problem(where, `does not say where ${source} comes from.`, `Write hf:${name} for the Hugging Face Hub.`)];
  }
  if (source.startsWith('hf:')) {
    return [problem(where, `is not a valid model name on the Hugging Face Hub: ${source}.`, 'Write hf:ORG/NAME.')];
  }
  return [problem(where, `must be builtin:NAME, hf:ORG/NAME or file:PATH, not ${JSON.stringify(source)}.`)];
}

function dataProblems(where: string, source: string): RecipeProblem[] {
  if (builtinName.test(source) || /^file:.*\S/.test(source)) return [];
  if (source.startsWith('hf:') || hubName.test(source)) {
    return [
      problem(
        where,
        `is on the Hugging Face Hub (${source}), but datasets cannot be downloaded from there yet.`,
        'Download the file and use file:PATH.',
      ),
    ];
  }
  return [problem(where, `must be builtin:NAME or file:PATH, not ${JSON.stringify(source)}.`)];
}

function* datasetProblems({ dataset }: Recipe): Generator<RecipeProblem> {
  yield* dataProblems('dataset.source', dataset.source);
  for (const source of Object.keys(dataset.mix)) yield* dataProblems('dataset.mix', source);
  const text = dataset.base_text;
  if (text !== null && !builtinName.test(text) && !/^file:.*\S/.test(text)) {
    yield problem('dataset.base_text', `must be builtin:NAME, file:PATH or null, not ${JSON.stringify(text)}.`);
  }
  const parts = columnParts[dataset.format];
  for (const part of Object.keys(dataset.columns ?? {})) {
    if (isPartKey(part, parts)) continue;
    const near = suggest(part, parts);
    yield problem(
      `dataset.columns.${part}`,
      dataset.format === 'auto'
        ? 'is not a part of any format.'
        : `is not a part of the ${dataset.format} format; use ${alternatives(parts)}.`,
      near && `Did you mean ${near}?`,
    );
  }
}

const asProblem = ({ where, message, action }: Refusal): RecipeProblem => problem(where, message, action);

function* methodProblems({ method }: Recipe): Generator<RecipeProblem> {
  for (const refusal of methodOf(method).problems?.(method) ?? []) yield asProblem(refusal);
  if ('init_adapter' in method && method.init_adapter !== null && !/^file:.*\S/.test(method.init_adapter)) {
    yield problem(
      'method.init_adapter',
      `must be file:PATH of an adapter folder or null, not ${JSON.stringify(method.init_adapter)}.`,
    );
  }
}

function* trainingProblems({ training }: Recipe): Generator<RecipeProblem> {
  if (training.max_steps === 0) {
    yield problem('training.max_steps', 'is 0, so nothing would be trained.', 'Use -1, or at least 1.');
  }
  if (training.num_train_epochs === 0 && training.max_steps === -1) {
    yield problem('training.num_train_epochs', 'is 0 and max_steps is -1, so nothing would be trained.');
  }
}

/** What cannot work in a recipe that satisfies the schema. */
export function impossible(recipe: Recipe): RecipeProblem[] {
  const problems = modelProblems('model.source', recipe.model.source);
  problems.push(...datasetProblems(recipe), ...methodProblems(recipe), ...trainingProblems(recipe));
  if ('rewards' in recipe.objective) {
    problems.push(...impossibleRewards('objective.rewards', rewardsOf(recipe.objective), problem));
  }
  problems.push(...[...recipeRefusals(recipe)].map(asProblem));
  return problems;
}

/** Fields of `training` that belong to a schedule. Other fields that not all runs use belong to an optimiser. */
const rateFields = new Set([
  'warmup_ratio',
  ...fieldsOf('training').flatMap(({ key }) => (key.startsWith('lr_') ? [key] : [])),
]);

/** Fields that were `given` but have no effect, and unusual values. */
export function notes(recipe: Recipe, given: (path: string) => boolean): RecipeNote[] {
  const { dataset, training } = recipe;
  const list: RecipeNote[] = [];
  const unused = (where: string, applies: boolean, message: string) => {
    if (applies && given(where)) list.push({ where, message });
  };
  unused('training.num_train_epochs', training.max_steps > 0, 'is ignored because max_steps is set.');
  unused(
    'training.warmup_ratio',
    training.lr_scheduler_type === 'constant' && training.warmup_ratio > 0,
    'is ignored by the constant schedule; use constant_with_warmup.',
  );
  for (const { key, field: spec } of fieldsOf('training')) {
    if (applies(spec.path, recipe) || valueAt(recipe, spec.path) === spec.default) continue;
    if (key === 'warmup_ratio' && training.lr_scheduler_type === 'constant') continue; // noted above
    const schedule = rateFields.has(key);
    unused(
      spec.path,
      true,
      `is ignored by ${schedule ? `the ${training.lr_scheduler_type} schedule` : training.optim}.`,
    );
  }
  unused(
    'model.quantization',
    recipe.model.quantization !== 'none' && /\.gguf$/i.test(recipe.model.source),
    'has no effect on a GGUF file that is already quantised.',
  );
  const unmeasured = dataset.validation_split === 0;
  unused(
    'training.eval_steps',
    unmeasured && training.eval_steps > 0,
    'is ignored because validation_split is 0, which leaves nothing to evaluate on.',
  );
  unused(
    'training.early_stopping_patience',
    training.early_stopping_patience > 0 && (unmeasured || training.eval_steps === 0),
    'is ignored because nothing is evaluated during training.',
  );
  const method = methodOf(recipe.method);
  if ('init_adapter' in recipe.method && recipe.method.init_adapter !== null) {
    const own = new Set<string>(['type', 'init_adapter', ...(method.keptWhenContinuing ?? [])]);
    for (const { key, field: spec } of fieldsOf('method', recipe.method.type)) {
      unused(spec.path, !own.has(key), 'is ignored: the adapter to continue from sets it.');
    }
  }
  for (const { key, message } of method.unused?.(recipe.method) ?? []) unused(`method.${key}`, true, message);
  const goal = objectiveOf(recipe.objective);
  for (const { key, message } of goal.unused?.(recipe.objective) ?? []) unused(`objective.${key}`, true, message);
  list.push(...(goal.notes?.(recipe.objective, objectiveContext(recipe)) ?? []));
  const { learning_rate } = training;
  const rate = field('training.learning_rate', recipe);
  if (
    rate.kind === 'number' &&
    rate.usual &&
    learning_rate > 10 * rate.usual[1] &&
    !list.some(({ where }) => where === rate.path)
  ) {
    const usual = allowedNumber({ min: rate.usual[0], max: rate.usual[1] }, false);
    list.push({
      where: rate.path,
      message: `is ${learning_rate}; ${recipe.method.type} usually takes ${usual}. Such a high rate often diverges.`,
    });
  }
  return list;
}
