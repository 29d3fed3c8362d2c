/**
 * Can the values of a recipe work together, with what this version can do? Every refusal is a sentence at the field to
 * change. A value that would have no effect is not refused, since recipes are often edited one field at a time, but it
 * is noted: nothing that a person sets is ignored in silence.
 */
import { columnParts } from './catalogue';
import { field } from './fields';
import { allowedNumber, problem, type RecipeProblem } from './schema';
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
  if (dataset.packing) {
    yield problem('dataset.packing', 'packing is not available yet.', 'Set it to false.');
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

function* methodProblems({ method }: Recipe): Generator<RecipeProblem> {
  if (method.use_dora) yield problem('method.use_dora', 'DoRA is not available yet.', 'Set it to false.');
  const targets = method.target_modules;
  if (targets !== 'all-linear') {
    if (targets.length === 0) {
      yield problem('method.target_modules', 'names no module, so nothing would be trained.', 'Use all-linear.');
    }
    if (targets.includes('all-linear')) {
      yield problem('method.target_modules', 'has all-linear in a list.', 'Write "all-linear" without brackets.');
    }
    const twice = targets.find((name, i) => targets.indexOf(name) !== i);
    if (twice !== undefined) yield problem('method.target_modules', `names ${twice} twice.`);
  }
  if (method.init_adapter !== null && !/^file:.*\S/.test(method.init_adapter)) {
    yield problem(
      'method.init_adapter',
      `must be file:PATH of a PEFT adapter folder, or null, not ${JSON.stringify(method.init_adapter)}.`,
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
  return problems;
}

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
  for (const key of ['r', 'lora_alpha', 'target_modules', 'use_rslora'] as const) {
    const continued = recipe.method.init_adapter !== null;
    unused(`method.${key}`, continued, 'is not used: the adapter to continue from has its own.');
  }
  const { learning_rate } = training;
  const rate = field('training.learning_rate');
  if (rate.kind === 'number' && rate.usual && learning_rate > 10 * rate.usual[1]) {
    const usual = allowedNumber({ min: rate.usual[0], max: rate.usual[1] }, false);
    list.push({
      where: rate.path,
      message: `is ${learning_rate}; usual for ${recipe.method.type} is ${usual}. So high a rate often diverges.`,
    });
  }
  return list;
}
