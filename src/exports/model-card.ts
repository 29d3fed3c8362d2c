/**
 * README.md of an exported adapter: a Hugging Face model card (YAML front matter, then Markdown;
 * https://huggingface.co/docs/hub/model-cards). A pure function of its inputs, so exports are reproducible.
 */

import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';
import { isLanguageModelling, methodWords, pipelineTag } from './card-use';
import { code, markdown, yaml } from './markdown';
import { type Proof, proofTable } from './proof';
import { adapterPython } from './python';
import { adapterFolder, adapterReaders } from './readers';

export interface ModelCardInput {
  /** Name of the adapter, e.g. the recipe's. */
  name: string;
  /** The value of `base_model`: a Hub id such as `ORG/NAME`, or the name of a local folder. */
  baseModel: string;
  /** Where the base is inside the exported folder, if it is there: it cannot be loaded by its name. */
  baseFolder?: string;
  /** The Hub's identifier for the base model's licence (`apache-2.0`), or null if unknown. */
  licence: string | null;
  recipe: Recipe;
  /** The base's model_type. */
  family: string;
  /** The labels of a classifier, in order of their ids. */
  labels?: readonly string[];
  /** Metrics other than the loss, at the best step: accuracy, f1, … */
  metrics?: Record<string, number>;
  /** Mean loss over the held-out examples, in nats per token for language modelling; null if none were held out. */
  initialEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  finalLoss: number | null;
  /** Optimiser steps, tokens processed (padding excluded), seconds of training. */
  steps: number;
  /** The steps after which the run was resumed with other data or another model than before. */
  changedAt?: readonly number[];
  tokens: number;
  seconds: number;
  trainableParameters: number;
  totalParameters: number;
  /** What a reader should know about the files, a sentence each. */
  notes?: readonly string[];
  /** The files, read back and compared; absent for cards of other files. */
  proof?: Proof | null;
  /** The browser's name for the GPU. */
  device: string;
  /** Tabtune's version. */
  version: string;
}

export const decimal = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';
const count = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const parts = [h > 0 ? `${h} h` : '', m > 0 ? `${m} min` : '', `${whole % 60} s`];
  return parts.filter((part) => part !== '').join(' ');
}

/** The run's metrics as a Markdown table. */
export function figures(input: ModelCardInput): string {
  const rows = figureRows(input).map(([label, value]) => `| ${label} | ${value} |`);
  return ['| | |', '|---|---|', ...rows].join('\n');
}

/** The recipe as a section. The fence is longer than any run of backticks inside, e.g. in the name of the run. */
export function recipeBlock(recipe: Recipe): string {
  const json = JSON.stringify(recipe, null, 2);
  const fence = '`'.repeat(Math.max(3, ...(json.match(/`+/g) ?? []).map((run) => run.length + 1)));
  return `## Recipe\n\nOpen it in Tabtune to run it again.\n\n${fence}json\n${json}\n${fence}\n`;
}

function figureRows(input: ModelCardInput): [string, string][] {
  const rows: [string, string][] = [];
  const loss = (label: string, value: number | null, step: number | null = null) => {
    if (value === null) return;
    const at = step === null ? '' : ` at step ${step}`;
    const perplexity = isLanguageModelling(input.recipe) ? ` (perplexity ${decimal(Math.exp(value), 2)})` : '';
    rows.push([label, `${decimal(value, 4)}${at}${perplexity}`]);
  };
  loss('Validation loss before training', input.initialEvalLoss);
  loss('Best validation loss', input.bestEvalLoss, input.bestStep);
  for (const [name, value] of Object.entries(input.metrics ?? {})) rows.push([code(name), decimal(value, 4)]);
  if (input.finalLoss !== null) rows.push(['Last training loss', decimal(input.finalLoss, 4)]);
  const share = (100 * input.trainableParameters) / Math.max(1, input.totalParameters);
  rows.push(
    ['Optimiser steps', count(input.steps)],
    ...(input.changedAt ?? []).map((step): [string, string] => [
      'Other data or another model',
      `since step ${count(step)}`,
    ]),
    ['Tokens seen', count(input.tokens)],
    ['Training time', duration(input.seconds)],
    [
      'Trained parameters',
      `${count(input.trainableParameters)} of ${count(input.totalParameters)} (${decimal(share, 2)} %)`,
    ],
    ['Device', markdown(input.device)],
  );
  return rows;
}

export const noteLines = (notes: readonly string[] = []): string =>
  notes.map((note) => `\n${markdown(note)}\n`).join('');

/** The comparison with the model in memory as a section; empty without one. */
export const proofSection = (proof: Proof | null | undefined, other: string): string =>
  proof ? `\n## Checked\n\n${proofTable(proof, other)}\n` : '';

/** What the run learned from, without a word of it; and the terms of what it began from. */
export function originSections({ recipe, baseModel, licence }: ModelCardInput): string {
  const { source, mix, validation_split } = recipe.dataset;
  const others = Object.keys(mix).filter((other) => other !== source);
  const named = [source, ...others].map((one) => code(one.replace(/^file:/, '')));
  const held = validation_split > 0 ? `, ${decimal(100 * validation_split, 0)} % of it held out for validation` : '';
  return [
    `\n## Data\n\nIt learned from ${named.join(' and ')}${held}. The examples themselves are not in these files.\n`,
    `\n## Licence\n\n${licenceLine(baseModel, licence)}\n`,
  ].join('');
}

/** `licence` is null if unknown. */
export const licenceLine = (base: string, licence: string | null): string =>
  licence === null
    ? `The licence of the base model, ${code(base)}, is not known here. Look it up before you share what was made from it.`
    : `The base model, ${code(base)}, is under the licence ${code(licence)}: see what that asks of models made from it.`;

/** The lines between which a card's metadata stand. */
export function frontMatter(input: ModelCardInput, library: string): string {
  const { recipe, baseModel, licence } = input;
  const tags = [`base_model:adapter:${baseModel}`, recipe.method.type, recipe.objective.type, 'tabtune'];
  return [
    '---',
    `base_model: ${yaml(baseModel)}`,
    `library_name: ${library}`,
    ...(licence === null ? [] : [`license: ${yaml(licence)}`]),
    `pipeline_tag: ${pipelineTag(recipe)}`,
    'tags:',
    ...tags.map((tag) => `- ${yaml(tag)}`),
    '---',
  ].join('\n');
}

/** The heading, and what this is. */
export const cardTitle = ({ name, recipe, baseModel, version }: ModelCardInput): string =>
  `# ${markdown(name)}\n\n${methodWords(recipe)} for ${code(baseModel)}, trained in a browser tab with Tabtune ${markdown(version)}.`;

/** Everything after how to use the files. */
export const cardTail = (input: ModelCardInput): string =>
  `${noteLines(input.notes)}${proofSection(input.proof, 'the adapter in memory')}${originSections(input)}
## The run

${figures(input)}

${recipeBlock(input.recipe)}`;

/** The whole README.md of an adapter in the layout of its own ecosystem. */
export function modelCard(input: ModelCardInput): string {
  const { recipe, name, baseModel: base, baseFolder, family, labels } = input;
  const { method, objective } = recipe;
  const facts = { method, objective: objective.type, family, base: baseFolder ?? base, name };
  const template =
    objectiveOf(objective).learns === 'answers'
      ? '\nIf the base model has a chat template, build the prompt with `tokenizer.apply_chat_template`, as in training.\n'
      : '';
  const others = adapterReaders(facts).map((line) => `- ${line}\n`);
  return `${frontMatter(input, methodOf(method).files?.library ?? 'peft')}

${cardTitle(input)}

## Use it

\`\`\`python
${adapterPython({ method: method.type, objective: objective.type, family }, { base: facts.base, folder: '.', remark: 'the folder of this file', labels })}
\`\`\`
${template}
${adapterFolder(facts)}
${others.length > 0 ? `\n${others.join('')}` : ''}${cardTail(input)}`;
}
