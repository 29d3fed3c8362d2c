/** For model cards: the result of a recipe in words, as Hub tags, and as Python code that loads it. */
import { methodOf } from '../methods';
import { defaultObjective, objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';

/** A Python string literal. JSON's escapes are valid in Python too. */
export const python = (text: string): string => JSON.stringify(text);

/** "A LoRA adapter", or "A DoRA adapter" if DoRA was used. */
export const methodWords = ({ method }: Pick<Recipe, 'method'>): string => methodOf(method).noun(method);

/** The Hub's `pipeline_tag`. */
export const pipelineTag = ({ objective }: Pick<Recipe, 'objective'>): string => objectiveOf(objective).pipelineTag;

/** Whether the loss is per token and so has a perplexity. */
export const isLanguageModelling = ({ objective }: Pick<Recipe, 'objective'>): boolean =>
  objectiveOf(objective).learns !== 'labels';

/** Python code that loads an adapter's folder on its base model and runs it once. */
export function adapterCode(recipe: Recipe, base: string, labels: readonly string[] = []): string {
  const { autoClass, python: asked } = objectiveOf(recipe.objective);
  const { python: loading } = methodOf(recipe.method).files!;
  const sizes = isLanguageModelling(recipe) ? '' : ', num_labels=len(labels), id2label=dict(enumerate(labels))';
  return [
    loading.imports,
    `from transformers import ${autoClass}, AutoTokenizer`,
    '',
    `base = ${python(base)}`,
    'adapter = "."  # the folder of this file',
    ...(sizes ? [`labels = [${labels.map(python).join(', ')}]`] : []),
    '',
    'tokenizer = AutoTokenizer.from_pretrained(base)',
    `model = ${autoClass}.from_pretrained(base${sizes})`,
    ...loading.load('adapter'),
    '',
    asked,
  ].join('\n');
}

/** Python code that loads a model folder. */
export function modelCode(recipe: Recipe | null): string {
  const { autoClass } = objectiveOf(recipe?.objective ?? { type: defaultObjective });
  return `from transformers import ${autoClass}, AutoTokenizer

folder = ${python('.')}  # the folder of this file
tokenizer = AutoTokenizer.from_pretrained(folder)
model = ${autoClass}.from_pretrained(folder)`;
}
