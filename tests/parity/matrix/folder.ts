/** Model folders: a fixture's, as if dropped by a user, and the export of a trained model, opened again. */
import * as tf from '@tensorflow/tfjs-core';
import type { Method } from '../../../src/engine/methods/method';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel, ModelTensor } from '../../../src/engine/models/model';
import type { MergedDtype } from '../../../src/exports/export';
import { configText, mergedConfig } from '../../../src/exports/merged-config';
import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';
import { type CheckedModel, checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder } from '../../../src/hub/folder';
import { settleTies } from '../../../src/hub/ties';
import { type ModelWeights, openWeights } from '../../../src/hub/weights';
import type { OpenAdapter } from '../../../src/workers/engine/adapters';
import { mergeModel } from '../../../src/workers/engine/merge';
import { checkpointHead } from '../../../src/workers/engine/stored-head';
import { fixtureBytes, fixtureJson, fixtureTensors } from '../../fixture-files';
import type { MatrixFamily } from './cells';

export type Files = Record<'config.json' | 'model.safetensors', Blob>;

export interface LoadedFolder {
  checked: CheckedModel;
  weights: ModelWeights;
  /** Without any head other than a language modelling head. */
  base: LanguageModel;
}

export async function openFolder(files: Files): Promise<LoadedFolder> {
  const dropped = Object.entries({ ...files, 'tokenizer.json': new Blob(['{}']) });
  const checked = await settleTies(
    await checkModelFolder(
      droppedModelFolder(
        'file:tiny',
        dropped.map(([path, file]) => ({ path, file })),
      ),
    ),
  );
  const weights = openWeights(checked);
  return { checked, weights, base: await loadModel(checked.json, weights) };
}

export async function openFamily({ name, folder, bare }: MatrixFamily): Promise<LoadedFolder> {
  if (bare) return openFolder(await bareFiles(name, folder));
  const blob = async (path: string) => new Blob([(await fixtureBytes(`${folder}/${path}`)).slice()]);
  return openFolder({ 'config.json': await blob('config.json'), 'model.safetensors': await blob('model.safetensors') });
}

const BARE_CLASSES: Record<string, string> = {
  bert: 'BertModel',
  roberta: 'RobertaModel',
  distilbert: 'DistilBertModel',
};

/** A fixture's encoder without its head, in float32. */
async function bareFiles(name: string, folder: string): Promise<Files> {
  const config = await fixtureJson<Record<string, unknown>>(`${folder}/config.json`);
  const { names, shape, floats } = await fixtureTensors(`${folder}/model.safetensors`);
  const prefix = `${name}.`;
  const tensors: SafetensorsTensor[] = names
    .filter((own) => own.startsWith(prefix))
    .map((own) => ({ name: own.slice(prefix.length), dtype: 'F32', shape: shape(own), data: floats(own) }));
  if (name === 'bert') {
    const d = config.hidden_size as number;
    const values = (size: number) =>
      Float32Array.from({ length: size }, (_, i) => (0.3 * Math.sin(7 * i)) / Math.sqrt(d));
    tensors.push({ name: 'pooler.dense.weight', dtype: 'F32', shape: [d, d], data: values(d * d) });
    tensors.push({ name: 'pooler.dense.bias', dtype: 'F32', shape: [d], data: values(d) });
  }
  return {
    'config.json': new Blob([JSON.stringify({ ...config, architectures: [BARE_CLASSES[name]] })]),
    'model.safetensors': new Blob([writeSafetensors(tensors)]),
  };
}

/** Exports the trained model in float32 and opens the folder again, with its head. */
export async function exported(open: OpenAdapter, checked: CheckedModel) {
  const folder = await openFolder(await mergedFiles(open, checked));
  const { model } = await checkpointHead(folder.base, folder.checked, folder.weights, 'none');
  return {
    model,
    folder,
    dispose: () => {
      if (model !== folder.base) model.dispose();
      folder.base.dispose();
    },
  };
}

export async function mergedFiles(
  open: { model: LanguageModel; method: Method | null },
  checked: CheckedModel,
  dtype: MergedDtype = 'F32',
): Promise<Files> {
  const pieces: ArrayBuffer[] = [];
  const { task, outputApart } = await mergeModel(
    { model: open.model, method: open.method, checked },
    dtype,
    (piece) => pieces.push(piece),
    () => {},
  );
  // From the folder's own config.json, as the app does.
  const json = JSON.parse(await checked.folder.text('config.json')) as Record<string, unknown>;
  return {
    'config.json': new Blob([configText(mergedConfig(json, dtype, task, { outputApart }))]),
    'model.safetensors': new Blob(pieces),
  };
}

/** The bytes of these tensors as stored on the device, by name. */
export async function snapshot(tensors: readonly ModelTensor[]): Promise<Map<string, Uint8Array>> {
  const bytes = new Map<string, Uint8Array>();
  for (const { name, value } of tensors) {
    const parts = value.kind === 'vector' ? [value.tensor] : value.weight.parts.map(({ tensor }) => tensor);
    for (const [i, part] of parts.entries()) {
      const data = await part.data();
      bytes.set(`${name} ${i}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
    }
  }
  return bytes;
}

export const tensorsAlive = () => tf.memory().numTensors;
