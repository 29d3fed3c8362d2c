/** Writes the folder: script, data, start, settings for TRL's command line, and files for Accelerate. */
import { TabtuneError } from '../../../base/errors';
import { familyNamed } from '../../../families';
import type { AdapterTensors } from '../../../formats/adapter-format';
import { writeSafetensors } from '../../../formats/safetensors';
import type { MethodSection } from '../../../methods';
import type { ObjectiveSection } from '../../../objectives';
import type { ExportedFile, ExportResult, ExportWriter } from '../../export';
import { baseModelOf } from '../base-model';
import { runFiles } from '../run-files';
import { accelerateFiles } from './accelerate';
import { commandLine } from './command-line';
import { dataFiles } from './data-files';
import { differencesOf } from './differences';
import * as methods from './methods/all';
import * as objectives from './objectives/all';
import type { TrlMethod, TrlObjective } from './part';
import { readme } from './readme';
import { refusalOf } from './refusals';
import { trainScript } from './script';

const tensorsFile = (tensors: AdapterTensors) =>
  writeSafetensors(
    [...tensors].map(([name, { shape, data }]) => ({
      ...{ name, dtype: 'F32' as const, shape },
      data: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
    })),
    { format: 'pt' },
  );

type AnyObjective = TrlObjective<{ type: string }>;
type AnyMethod = TrlMethod<{ type: string }>;

export const trlObjective = (section: Pick<ObjectiveSection, 'type'>): AnyObjective | null =>
  (Object.values(objectives) as unknown as AnyObjective[]).find(({ type }) => type === section.type) ?? null;

export const trlMethod = (section: Pick<MethodSection, 'type'>): AnyMethod | null =>
  (Object.values(methods) as unknown as AnyMethod[]).find(({ type }) => type === section.type) ?? null;

export const write: ExportWriter = async (source, job): Promise<ExportResult> => {
  const data = await source.training?.(job);
  const objective = data && trlObjective(data.recipe.objective);
  const method = data && trlMethod(data.recipe.method);
  if (!data || !objective || !method) {
    throw new TabtuneError({
      code: 'internal',
      message: 'There is nothing that another trainer could train.',
      action: 'Choose data and a recipe first.',
    });
  }
  const family = familyNamed(source.exported.family);
  const refusal = refusalOf({ data, objective, method, family });
  if (refusal !== null) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: refusal,
      action: 'Change the recipe, or choose another export.',
    });
  }
  const base = baseModelOf(source.model);
  const config = family.readConfig(source.model.config);
  const dropout = Object.values(config.dropout).some((rate) => rate > 0);
  const differences = differencesOf({ data, objective, method, base, dropout });
  const start = await data.start();
  const startTensors = start.tensors.size > 0;
  const script = { name: source.name, base, data, objective, method, differences, dropout, startTensors };
  const command = await commandLine({ source, data, objective, method, base });
  const files: ExportedFile[] = [
    { path: 'train.py', blob: new Blob([trainScript(script)]) },
    ...(typeof command === 'string' ? [] : command.files),
    readme({ name: source.name, recipe: data.recipe, leaves: method.leaves, differences, command }),
    ...accelerateFiles(data.recipe.training.fp16),
    ...dataFiles(data, objective, config.vocab_size),
    ...(startTensors ? [{ path: 'init_tensors.safetensors', blob: new Blob([tensorsFile(start.tensors)]) }] : []),
    ...(await runFiles(source, { recipe: data.recipe, base, adapter: start.adapter }, job)),
  ];
  const ofCommand =
    typeof command === 'string' ? [command] : command.differences.map((text) => `${command.file}: ${text}`);
  return { files, notes: [...differences, ...ofCommand], proof: null };
};
