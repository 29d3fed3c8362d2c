/** For a model card: what a recipe made, in words, in the Hub's tags and as Python that opens it. */
import { methodOf } from '../methods';
import { defaultObjective, objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';

/** A Python string literal; JSON's escapes mean the same there. */
export const python = (text: string): string => JSON.stringify(text);

/** "A LoRA adapter"; DoRA where that was used. */
export const methodWords = ({ method }: Pick<Recipe, 'method'>): string => methodOf(method).noun(method);

/** The Hub's `pipeline_tag`. */
export const pipelineTag = ({ objective }: Pick<Recipe, 'objective'>): string => objectiveOf(objective).pipelineTag;

/** Whether a loss is of tokens, so that it has a perplexity. */
export const isLanguageModelling = ({ objective }: Pick<Recipe, 'objective'>): boolean =>
  objectiveOf(objective).learns !== 'labels';

/** Python that opens an adapter's folder on its base and asks it something. */
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

/** Python that opens a model's folder. */
export function modelCode(recipe: Recipe | null): string {
  const { autoClass } = objectiveOf(recipe?.objective ?? { type: defaultObjective });
  return `from transformers import ${autoClass}, AutoTokenizer

folder = ${python('.')}  # the folder of this file
tokenizer = AutoTokenizer.from_pretrained(folder)
model = ${autoClass}.from_pretrained(folder)`;
}
