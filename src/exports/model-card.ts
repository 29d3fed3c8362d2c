/**
 * README.md of an exported adapter: a Hugging Face model card (YAML front matter, then Markdown;
 * https://huggingface.co/docs/hub/model-cards). A pure function of its inputs, so exports are reproducible.
 */

import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';
import { isLanguageModelling, methodWords, pipelineTag } from './card-use';
import { adapterPython } from './python';
import { adapterReaders } from './readers';

export interface ModelCardInput {
  /** Name of the adapter, e.g. the recipe's. */
  name: string;
  /** The value of `base_model`: a Hub id such as `ORG/NAME`, or the name of a local folder. */
  baseModel: string;
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
  /** The browser's name for the GPU. */
  device: string;
  /** Tabtune's version. */
  version: string;
}

/** A YAML double-quoted scalar; JSON strings are a subset of those. */
export const yaml = (text: string): string => JSON.stringify(text);

/** Escapes text for a line of Markdown, so that nothing in it becomes markup, a table cell or a new line. */
export function markdown(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').replace(/[\\`*_{}[\]<>()#+!|~&$]/g, '\\$&');
}

/** A Markdown code span around `text`, whatever backticks it contains. */
export function code(text: string): string {
  const plain = text.replace(/[\s\p{Cc}]+/gu, ' ');
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${plain} ${fence}` : `\`${plain}\``;
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

/** The whole README.md. */
export function modelCard(input: ModelCardInput): string {
  const { recipe } = input;
  const { method, objective } = recipe;
  const tags = [`base_model:adapter:${input.baseModel}`, method.type, objective.type, 'tabtune'];
  const front = [
    '---',
    `base_model: ${yaml(input.baseModel)}`,
    `library_name: ${methodOf(method).files?.library ?? 'peft'}`,
    ...(input.licence === null ? [] : [`license: ${yaml(input.licence)}`]),
    `pipeline_tag: ${pipelineTag(recipe)}`,
    'tags:',
    ...tags.map((tag) => `- ${yaml(tag)}`),
    '---',
  ];
  const template =
    objectiveOf(objective).learns === 'answers'
      ? '\nIf the base model has a chat template, build the prompt with `tokenizer.apply_chat_template`, as in training.\n'
      : '';
  const body = `
# ${markdown(input.name)}

${methodWords(recipe)} for ${code(input.baseModel)}, trained in a browser tab with Tabtune ${markdown(input.version)}.

## Use it

\`\`\`python
${adapterPython(
  { method: method.type, objective: objective.type, family: input.family },
  { base: input.baseModel, folder: '.', remark: 'the folder of this file', labels: input.labels },
)}
\`\`\`
${template}
${adapterReaders({ method, objective: objective.type, family: input.family }).join(' ')}
${noteLines(input.notes)}
## The run

${figures(input)}

${recipeBlock(recipe)}`;
  return `${front.join('\n')}\n${body}`;
}
