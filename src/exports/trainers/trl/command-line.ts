/** A file for TRL's command line, for what `trl sft --config sft.yaml` and its kin can make: the run without a script. */

import { typeIn } from '../../../recipe/conversion/registry';
import { nested, writeConfig } from '../../../recipe/conversion/write';
import { methodWords } from '../../card-use';
import type { ExportedFile, ExportSource } from '../../export';
import type { BaseModel } from '../base-model';
import { factsOf, header, rowsFile } from '../config/run';
import { haveThoughts, trlRow } from '../config/trl-rows';
import { yamlText } from '../config/yaml';
import type { TrainingData } from '../training-data';
import { isPacked } from './objectives/next-token';
import type { Command, TrlMethod, TrlObjective } from './part';
import { VERSIONS } from './versions';

/** Rows that TRL tokenises itself. */
const TEXT_FOLDER = 'text';

export interface CommandLine {
  /** `sft.yaml` */
  file: string;
  /** `trl sft --config sft.yaml` */
  command: string;
  files: ExportedFile[];
  /** What it does otherwise than Tabtune, or not at all, a sentence each. */
  differences: string[];
}

interface Parts {
  source: ExportSource;
  data: TrainingData;
  objective: TrlObjective<{ type: string }>;
  method: TrlMethod<{ type: string }>;
  base: BaseModel;
}

type AnyCommand = Command<{ type: string }>;

/** Or why there is none, as a sentence. */
export async function commandLine({ source, data, objective, method, base }: Parts): Promise<CommandLine | string> {
  const { recipe } = data;
  const { command } = objective;
  if (command === null) return 'TRL’s command line has no trainer for this objective: use train.py.';
  if (typeIn('trl', 'method', recipe.method.type) === undefined) {
    return `TRL’s command line trains LoRA adapters or all weights. For ${lowerFirst(methodWords(recipe))}, use train.py.`;
  }
  if (base.gguf !== null) return 'TRL’s command line opens no GGUF files: use train.py.';
  const { sections, lost } = writeConfig('trl', recipe, factsOf(source, data, base, null));
  const file = `${recipe.objective.type}.yaml`;
  const start = `trl ${command.name} --config ${file}`;
  const differences = [...lost, ...ofCommandLine(data, command, method)];
  const { output_dir, ...training } = sections.training;
  const { assistant_only_loss: _, ...learned } = sections.objective;
  const text = yamlText(header(source.name, start, `TRL’s command line, ${VERSIONS.trl}`, differences), [
    { title: 'The model, in 32 bits as in Tabtune', values: { ...sections.model, dtype: 'float32' } },
    {
      title: 'The rows, split as in Tabtune',
      values: { ...rowSettings(data, command), ...orderSettings(data, command, sections.dataset) },
    },
    { title: 'What is trained', values: sections.method },
    { title: 'What it learns', values: learned },
    { title: 'How', values: nested(training) },
    { title: 'No bfloat16. bf16: true is faster and rounds more.', values: { bf16: false } },
    { title: 'Results', values: { output_dir, logging_steps: 1, save_total_limit: 2, report_to: 'none' } },
  ]);
  return {
    ...{ file, command: start, differences },
    files: [{ path: file, blob: new Blob([text]) }, ...(command.reads === 'text' ? await textFiles(data) : [])],
  };
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

async function textFiles(data: TrainingData): Promise<ExportedFile[]> {
  const rows = await data.written();
  const sides = (['train', 'validation'] as const).filter((side) => rows[side].length > 0);
  const thoughts = haveThoughts(rows.train, rows.validation);
  return sides.map((side) => rowsFile(`${TEXT_FOLDER}/${side}.jsonl`, rows[side], (row) => trlRow(row, thoughts)));
}

/** Tokens and labels go along as they are, packs too: nothing is cut off or packed again. */
function rowSettings(data: TrainingData, { reads }: AnyCommand): Record<string, unknown> {
  const packs = isPacked(data) ? { dataset_kwargs: { skip_prepare_dataset: true }, padding_free: true } : {};
  return {
    dataset_name: reads === 'text' ? `./${TEXT_FOLDER}` : './data',
    ...(data.validation.length > 0 ? { dataset_test_split: 'validation' } : {}),
    ...packs,
  };
}

function orderSettings(
  data: TrainingData,
  command: AnyCommand,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { packing, ...others } = settings;
  return {
    ...others,
    // Only the trainer of texts packs rows, and these are packed already.
    ...(command.texts && packing !== undefined ? { packing: false } : {}),
    ...(isPacked(data) ? { max_length: null } : {}),
    ...(command.inOrder?.(data.recipe.objective) ? { train_sampling_strategy: 'sequential' } : {}),
  };
}

function* ofCommandLine(data: TrainingData, command: AnyCommand, { leaves }: Parts['method']): Iterable<string> {
  const { recipe, task, steps } = data;
  if (command.reads === 'text') {
    yield 'TRL tokenises the rows itself, with the model’s chat template where they are messages, and cuts them off by its own rules.';
  }
  if (command.inOrder?.(recipe.objective) && recipe.dataset.shuffle) {
    yield 'TRL takes the rows in the order of the file: with this loss, it refuses another.';
  }
  if (leaves === 'adapter') {
    yield 'The adapter starts from values that PEFT draws: the one in init_adapter is for train.py.';
  }
  if (recipe.model.quantization !== 'none') yield 'On a quantised base, TRL keeps the adapter in bfloat16.';
  if (task !== null) yield 'The head starts from values that transformers draws.';
  const { per_device_train_batch_size: size, gradient_accumulation_steps: batches } = recipe.training;
  const full = size * batches;
  if (Array.from({ length: steps }, (_, i) => data.microBatches(i).flat().length).some((rows) => rows !== full)) {
    yield `Steps take ${full} rows, and the last one of an epoch what is left; in Tabtune, an epoch’s steps are alike.`;
  }
  if (data.validation.length > 0 && command.texts) {
    yield 'The validation loss is a mean of batches; in Tabtune, it is a mean of targets.';
  }
}
