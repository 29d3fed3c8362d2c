/**
 * Can the values of a recipe work together, with what this version can do? Every refusal is a sentence at the field to
 * change. A value that would have no effect is not refused, since recipes are often edited one field at a time, but it
 * is noted: nothing that a person sets is ignored in silence.
 */
import { methodOf } from '../methods';
import { columnParts } from './catalogue';
import { recipeRefusals } from './combine';
import { applies, field, fieldsOf, valueAt } from './fields';
import { allowedNumber, problem, type RecipeProblem } from './schema';
import type { Refusal } from './spec';
import { alternatives, suggest } from './suggest';
import type { Recipe } from './types';

/** What happens with a field that has no effect, or that is outside of what people usually choose. */
export interface RecipeNote {
  where: string;
  message: string;
}

const builtinName = /^builtin:[a-z0-9][a-z0-9._-]*$/;
/** ORG/NAME of the Hub, with a revision behind @ and a GGUF file behind a slash. */
const hubName = /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w.%-]+|@refs\/\w+\/[\w.-]+)?(\/[^@]+\.gguf)?$/i;

function modelProblems(where: string, source: string): RecipeProblem[] {
  if (builtinName.test(source) || /^file:.*\S/.test(source)) return [];
  const name = source.replace(/^hf:/, '');
  if (hubName.test(name)) {
    if (source !== name) return [];
    return [problem(where, `${source} has no place it comes from.`, `For the Hugging Face Hub write hf:${name}.`)];
  }
  if (source.startsWith('hf:')) {
    return [problem(where, `${source} is not the name of a model on the Hugging Face Hub.`, 'Write hf:ORG/NAME.')];
  }
  return [problem(where, `must be builtin:NAME, hf:ORG/NAME or file:PATH, not ${JSON.stringify(source)}.`)];
}

function dataProblems(where: string, source: string): RecipeProblem[] {
  if (builtinName.test(source) || /^file:.*\S/.test(source)) return [];
  if (source.startsWith('hf:') || hubName.test(source)) {
    return [
      problem(
        where,
        `${source} is on the Hugging Face Hub, which datasets cannot be fetched from yet.`,
        'Download it and use it as file:PATH.',
      ),
    ];
  }
  return [problem(where, `must be builtin:NAME or file:PATH, not ${JSON.stringify(source)}.`)];
}

function* datasetProblems({ dataset }: Recipe): Generator<RecipeProblem> {
  yield* dataProblems('dataset.source', dataset.source);
  const text = dataset.base_text;
  if (text !== null && !builtinName.test(text) && !/^file:.*\S/.test(text)) {
    yield problem('dataset.base_text', `must be builtin:NAME, file:PATH or null, not ${JSON.stringify(text)}.`);
  }
  const parts = columnParts[dataset.format];
  for (const part of Object.keys(dataset.columns ?? {})) {
    if (parts.includes(part)) continue;
    const near = suggest(part, parts);
    yield problem(
      `dataset.columns.${part}`,
      dataset.format === 'auto'
        ? 'is no part of any format.'
        : `is no part of the ${dataset.format} format, which has ${alternatives(parts)}.`,
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
      `must be file:PATH of an adapter’s folder, or null, not ${JSON.stringify(method.init_adapter)}.`,
    );
  }
}

function* trainingProblems({ training }: Recipe): Generator<RecipeProblem> {
  if (training.max_steps === 0) {
    yield problem('training.max_steps', 'is 0, so nothing would be trained.', 'Use -1, or 1 and more.');
  }
  if (training.num_train_epochs === 0 && training.max_steps === -1) {
    yield problem('training.num_train_epochs', 'is 0 and max_steps is -1, so nothing would be trained.');
  }
}

/** What cannot work in a recipe whose schema is right. */
export function impossible(recipe: Recipe): RecipeProblem[] {
  const problems = modelProblems('model.source', recipe.model.source);
  problems.push(...datasetProblems(recipe), ...methodProblems(recipe), ...trainingProblems(recipe));
  problems.push(...[...recipeRefusals(recipe)].map(asProblem));
  return problems;
}

/** Fields of `training` that belong to a schedule; the others that are for some only belong to an optimiser. */
const rateFields = new Set([
  'warmup_ratio',
  ...fieldsOf('training').flatMap(({ key }) => (key.startsWith('lr_') ? [key] : [])),
]);

/** What has no effect among the fields that were `given`, and what is unusual. */
export function notes(recipe: Recipe, given: (path: string) => boolean): RecipeNote[] {
  const { dataset, training } = recipe;
  const list: RecipeNote[] = [];
  const unused = (where: string, applies: boolean, message: string) => {
    if (applies && given(where)) list.push({ where, message });
  };
  unused('training.num_train_epochs', training.max_steps > 0, 'is not used, because max_steps is set.');
  unused(
    'training.warmup_ratio',
    training.lr_scheduler_type === 'constant' && training.warmup_ratio > 0,
    'is not used by the constant schedule; constant_with_warmup uses it.',
  );
  for (const { key, field: spec } of fieldsOf('training')) {
    if (applies(spec.path, recipe) || valueAt(recipe, spec.path) === spec.default) continue;
    if (key === 'warmup_ratio' && training.lr_scheduler_type === 'constant') continue; // said above
    const schedule = rateFields.has(key);
    unused(
      spec.path,
      true,
      `is not used by ${schedule ? `the ${training.lr_scheduler_type} schedule` : training.optim}.`,
    );
  }
  unused(
    'model.quantization',
    recipe.model.quantization !== 'none' && /\.gguf$/i.test(recipe.model.source),
    'changes nothing in a GGUF file that is quantised already.',
  );
  const unmeasured = dataset.validation_split === 0;
  unused(
    'training.eval_steps',
    unmeasured && training.eval_steps > 0,
    'is not used, because validation_split is 0 and nothing is held out to evaluate on.',
  );
  unused(
    'training.early_stopping_patience',
    training.early_stopping_patience > 0 && (unmeasured || training.eval_steps === 0),
    'is not used, because nothing is evaluated while training.',
  );
  const method = methodOf(recipe.method);
  if ('init_adapter' in recipe.method && recipe.method.init_adapter !== null) {
    const own = new Set<string>(['type', 'init_adapter', ...(method.keptWhenContinuing ?? [])]);
    for (const { key, field: spec } of fieldsOf('method', recipe.method.type)) {
      unused(spec.path, !own.has(key), 'is not used: the adapter to continue from has its own.');
    }
  }
  for (const { key, message } of method.unused?.(recipe.method) ?? []) unused(`method.${key}`, true, message);
  const { learning_rate } = training;
  const rate = field('training.learning_rate', recipe);
  if (rate.kind === 'number' && rate.usual && learning_rate > 10 * rate.usual[1]) {
    const usual = allowedNumber({ min: rate.usual[0], max: rate.usual[1] }, false);
    list.push({
      where: rate.path,
      message: `is ${learning_rate}; usual for ${recipe.method.type} is ${usual}. So high a rate often diverges.`,
    });
  }
  return list;
}
