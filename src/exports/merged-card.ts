/** README.md of a merged model: what was merged and how far rounding moved the logits. Depends only on its inputs. */
import { leavesModel, methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import { methodWords, pipelineTag } from './card-use';
import { code, decimal, figures, type ModelCardInput, markdown, noteLines, recipeBlock, yaml } from './model-card';
import { modelPython } from './python';
import { type ModelFacts, modelReaders } from './readers';

export interface MergedCardInput {
  name: string;
  /** The run that trained the adapter; null if it was trained elsewhere. */
  run: ModelCardInput | null;
  /** The base model's display name. */
  base: string;
  /** The base model's licence, or "unknown". */
  licence: string;
  /** Whether an adapter was merged at all. */
  adapter: boolean;
  /** Type of the merged weights: float32, bfloat16 or float16. */
  dtype: string;
  /** How the base model's weights were stored. */
  stored: string;
  maxLogitDifference: number | null;
  largestLogit: number | null;
  /** What a reader should know about the files, a sentence each. */
  notes?: readonly string[];
  /** Number of texts on which the difference was measured. */
  texts: number;
  /** What decides who reads the folder. */
  folder: Omit<ModelFacts, 'objective' | 'writes'>;
}

function differenceLine({ run, adapter, dtype, maxLogitDifference, largestLogit, texts }: MergedCardInput): string {
  const trained = run !== null && leavesModel(methodOf(run.recipe.method));
  const forms = trained ? 'those that were trained' : adapter ? 'base with adapter' : 'the base as it was loaded';
  if (maxLogitDifference === null) {
    return `The merged weights were not compared with ${forms}: the GPU had no room for both at once.`;
  }
  const difference = maxLogitDifference.toExponential(2);
  const largest = decimal(largestLogit ?? 0, 2);
  return (
    `Largest difference of a logit between these weights and ${forms}, over ${texts} texts: **${difference}** ` +
    `(the largest logit is ${largest}). It comes from rounding to ${dtype}; the weights were read back from the file.`
  );
}

const lowerFirst = (text: string) => `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/,$/, '');

export function mergedCard(input: MergedCardInput): string {
  const licence = input.licence.trim();
  const base = input.run?.baseModel ?? input.base;
  const recipe = input.run?.recipe ?? null;
  const front = [
    '---',
    `base_model: ${yaml(base)}`,
    'base_model_relation: finetune',
    'library_name: transformers',
    ...(licence === '' || /^unknown$/i.test(licence) ? [] : [`license: ${yaml(licence)}`]),
    ...(recipe ? [`pipeline_tag: ${pipelineTag(recipe)}`] : []),
    'tags:',
    `- ${yaml('tabtune')}`,
    '---',
  ];
  const trained = recipe !== null && leavesModel(methodOf(recipe.method));
  const words = recipe ? lowerFirst(methodWords(recipe)) : 'an adapter';
  const what = trained
    ? `${code(base)} with ${words} trained`
    : input.adapter
      ? `${code(base)} with ${words} merged in`
      : `${code(base)}, converted`;
  const objective = recipe?.objective.type ?? null;
  const writes = recipe === null || objectiveOf(recipe.objective).writes;
  const readers = modelReaders({ ...input.folder, objective, writes });
  const body = `
# ${markdown(input.name)}

${what}, in ${input.dtype} (the base was stored as ${markdown(input.stored)}). Made in a browser tab with Tabtune.

${differenceLine(input)}
${noteLines(input.notes)}
## Use it

\`\`\`python
${modelPython(recipe?.objective.type ?? null, input.folder.family, '.')}
\`\`\`

${readers.join(' ')}
${input.run ? `\n## The run\n\n${figures(input.run)}\n\n${recipeBlock(input.run.recipe)}` : ''}`;
  return `${front.join('\n')}\n${body}`;
}
