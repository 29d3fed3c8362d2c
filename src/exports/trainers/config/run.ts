/** What both writers of configs begin with: the run's rows, its start, and the recipe as settings. */
import { TabtuneError } from '../../../base/errors';
import type { WrittenRow, WrittenRows } from '../../../data/written-row';
import { familyNamed } from '../../../families';
import { ggufOf } from '../../../families/gguf';
import type { RunFacts, TrainerId } from '../../../recipe/conversion/types';
import { recipeRefusal, takesAdapter, type WrittenConfig, writeConfig } from '../../../recipe/conversion/write';
import type { ExportedFile, ExportJob, ExportSource } from '../../export';

import { BASE_FOLDER, type BaseModel, baseModelOf } from '../base-model';
import { linesBlob } from '../lines';
import { ADAPTER_FOLDER, runFiles } from '../run-files';
import type { TrainingData } from '../training-data';
import { type SpecialTokens, specialTokens } from './special-tokens';

export interface ConfiguredRun {
  data: TrainingData;
  rows: WrittenRows;
  config: WrittenConfig;
  tokens: SpecialTokens;
  base: BaseModel;
  /** The start, the base if nobody finds it elsewhere, and the recipe. */
  files: ExportedFile[];
}

/** Throws bad_recipe for what the trainer cannot do, and what would keep the run from starting. */
export async function configuredRun(trainer: TrainerId, source: ExportSource, job: ExportJob): Promise<ConfiguredRun> {
  const data = await source.training?.(job);
  if (!data) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'There is no run that another trainer could make.',
      action: 'Choose data and a recipe first.',
    });
  }
  const { recipe } = data;
  const refusal = recipeRefusal(trainer, recipe);
  if (refusal !== null)
    throw new TabtuneError({ code: 'bad_recipe', message: refusal, action: 'Choose another export.' });
  const rows = await data.written();
  job.signal?.throwIfAborted();
  const base = baseModelOf(source.model);
  const adapter = takesAdapter(trainer, data.recipe) && startsPlainly(data) ? ((await data.start()).adapter ?? []) : [];
  const facts = factsOf(source, data, base, adapter.length > 0 ? `./${ADAPTER_FOLDER}` : null);
  const files = await runFiles(source, { recipe, base, adapter }, job);
  const config = writeConfig(trainer, recipe, facts);
  return { data, rows, config, tokens: await specialTokens(source.model.folder), base, files };
}

/** What a config says besides the recipe. */
export function factsOf(
  { exported, model }: Pick<ExportSource, 'exported' | 'model'>,
  data: TrainingData,
  base: BaseModel,
  initialAdapter: string | null,
): RunFacts {
  const family = familyNamed(exported.family);
  return {
    base: { name: base.id ?? `./${BASE_FOLDER}`, revision: base.revision },
    maxLength: data.maxLength,
    steps: data.steps,
    validates: data.validation.length > 0,
    dropout: Object.values(family.readConfig(model.config).dropout).some((rate) => rate > 0),
    transposed: transposedIn(family.modelType),
    initialAdapter,
  };
}

/** Linear layers that are stored [in, out], as the family's GGUF says; in such a family, all of them are. */
function transposedIn(family: string): string[] | null {
  const { transposed = [], inner } = ggufOf(family)?.tensors ?? { inner: {} };
  const names = transposed.flatMap((name) => (inner as Record<string, string>)[name]?.split('.').at(-1) ?? []);
  return names.length > 0 ? [...new Set(names)] : null;
}

/** PiSSA begins with a changed base, which is made where it is trained. */
const startsPlainly = ({ recipe: { method } }: TrainingData): boolean =>
  !('init_lora_weights' in method) || method.init_lora_weights !== 'pissa' || method.init_adapter !== null;

/** A file of JSON lines, one for each row that `line` has something for. */
export function rowsFile(
  path: string,
  rows: readonly WrittenRow[],
  line: (row: WrittenRow) => object | null,
): ExportedFile {
  const lines = rows.flatMap((row) => line(row) ?? []);
  return { path, blob: linesBlob(lines.length, (i) => JSON.stringify(lines[i])) };
}

/** Sentences about the base, which are the same for both. */
export function baseNotes(base: BaseModel, trainer: string): string[] {
  return base.gguf === null
    ? []
    : [`${trainer} does not train on GGUF files: name the model that ${base.gguf} was made from as the base.`];
}

/** Text as lines of a comment or a list. */
export function wrapped(text: string, width = 110): string[] {
  const lines: string[] = [];
  let line = '';
  // Whatever a name contains, it stays on its lines.
  for (const word of text.split(/[\s\p{Cc}]+/u).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** The top of a config: whose it is, how to start it, and what it cannot do. */
export function header(name: string, command: string, trainer: string, lost: readonly string[]): string[] {
  const list = lost.flatMap((sentence) => wrapped(sentence).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`));
  return [
    ...wrapped(`The run “${name}” of Tabtune, for ${trainer}:`),
    '',
    `    ${command}`,
    '',
    ...(list.length > 0 ? [`What ${trainer} does otherwise, or not at all:`, ...list] : []),
  ];
}

/** The README of the folder. */
export function readme(
  title: string,
  steps: readonly string[],
  lost: readonly string[],
  more: readonly string[],
): Blob {
  const list = lost.length > 0 ? lost.map((sentence) => `- ${sentence}`) : ['- Nothing that is known.'];
  return new Blob([
    `${[
      `# ${title}`,
      '',
      '```sh',
      ...steps,
      '```',
      '',
      ...more.flatMap((paragraph) => [paragraph, '']),
      '## What differs from the run in Tabtune',
      '',
      ...list,
    ].join('\n')}\n`,
  ]);
}
