/** README.md of a merged model: what was merged and how far rounding moved the logits. Depends only on its inputs. */
import { leavesModel, methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import { methodWords, pipelineTag } from './card-use';
import { code, markdown, yaml } from './markdown';
import { figures, licenceLine, type ModelCardInput, noteLines, originSections, recipeBlock } from './model-card';
import { type Proof, proofTable } from './proof';
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
  proof: Proof | null;
  /** What a reader should know about the files, a sentence each. */
  notes?: readonly string[];
  /** What decides who reads the folder. */
  folder: Omit<ModelFacts, 'objective' | 'writes'>;
}

function proofOf({ run, adapter, dtype, proof }: MergedCardInput): string {
  if (!proof) return '';
  const trained = run !== null && leavesModel(methodOf(run.recipe.method));
  const forms = trained ? 'the model in memory' : adapter ? 'the base with its adapter' : 'the base as it was loaded';
  const rounding = dtype === 'float32' ? '' : `\n\nWhat differs comes from rounding to ${dtype}.`;
  return `\n## Checked\n\n${proofTable(proof, forms)}${rounding}\n`;
}

const lowerFirst = (text: string) => `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/,$/, '');

export function mergedCard(input: MergedCardInput): string {
  const licence = input.licence.trim();
  const known = licence === '' || /^unknown$/i.test(licence) ? null : licence;
  const base = input.run?.baseModel ?? input.base;
  const recipe = input.run?.recipe ?? null;
  const front = [
    '---',
    `base_model: ${yaml(base)}`,
    'base_model_relation: finetune',
    'library_name: transformers',
    ...(known === null ? [] : [`license: ${yaml(known)}`]),
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
  const origin = input.run ? originSections(input.run) : `\n## Licence\n\n${licenceLine(base, known)}\n`;
  const body = `
# ${markdown(input.name)}

${what}, in ${input.dtype} (the base was stored as ${markdown(input.stored)}). Made in a browser tab with Tabtune.
${noteLines(input.notes)}
## Use it

\`\`\`python
${modelPython(recipe?.objective.type ?? null, input.folder.family, '.')}
\`\`\`

${readers.map((line) => `- ${line}\n`).join('')}${proofOf(input)}${origin}${input.run ? `\n## The run\n\n${figures(input.run)}\n\n${recipeBlock(input.run.recipe)}` : ''}`;
  return `${front.join('\n')}\n${body}`;
}
