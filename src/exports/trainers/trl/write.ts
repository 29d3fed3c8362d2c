/** Writes the folder: script, data, start, settings for TRL's command line, and files for Accelerate. */
import { TabtuneError } from '../../../base/errors';
import { familyNamed } from '../../../families';
import type { AdapterTensors } from '../../../formats/adapter-format';
import { writeSafetensors } from '../../../formats/safetensors';
import type { MethodSection } from '../../../methods';
import type { ObjectiveSection } from '../../../objectives';
import type { ExportedFile, ExportResult, ExportWriter } from '../../export';
import { accelerateFiles } from './accelerate';
import { baseFiles, baseModelOf } from './base-model';
import { dataFiles } from './data-files';
import { differencesOf } from './differences';
import * as methods from './methods/all';
import * as objectives from './objectives/all';
import type { TrlMethod, TrlObjective } from './part';
import { readme } from './readme';
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
  const refusal =
    method.refusal?.(data.recipe.method, data) ?? objective.refusal?.(data.recipe.objective, data) ?? null;
  if (refusal !== null) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: refusal,
      action: 'Change the recipe, or choose another export.',
    });
  }
  const base = baseModelOf(source.model);
  const family = familyNamed(source.exported.family);
  const rates = Object.values(family.readConfig(source.model.config).dropout);
  const dropout = rates.some((rate) => rate > 0);
  const differences = differencesOf({ data, objective, method, base, dropout });
  const start = await data.start();
  const startTensors = start.tensors.size > 0;
  const text = (path: string, content: string): ExportedFile => ({ path, blob: new Blob([content]) });
  const total = source.model.folder.files.reduce((sum, name) => sum + (source.model.folder.size(name) ?? 0), 0);
  let done = 0;
  const files = [
    text(
      'train.py',
      trainScript({ name: source.name, base, data, objective, method, differences, dropout, startTensors }),
    ),
    readme({ name: source.name, recipe: data.recipe, leaves: method.leaves, differences }),
    ...accelerateFiles(),
    ...dataFiles(data, objective),
    ...(start.adapter ?? []).map(({ path, bytes }) => ({
      path: `init_adapter/${path}`,
      blob: new Blob([bytes as BlobPart]),
    })),
    ...(startTensors ? [{ path: 'init_tensors.safetensors', blob: new Blob([tensorsFile(start.tensors)]) }] : []),
    text('recipe.json', `${JSON.stringify(data.recipe, null, 2)}\n`),
    ...(await baseFiles(source.model, base, {
      signal: job.signal,
      onBytes(bytes) {
        done += bytes;
        job.onProgress({ phase: 'writing', done, total });
      },
    })),
  ];
  return { files, notes: differences, proof: null };
};
