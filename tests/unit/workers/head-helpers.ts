/** Models and adapters of tests/oracle/make_head_fixtures.py, and what is asked of their files. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { textLogits } from '../../../src/engine/generation/generate';
import { writeValues } from '../../../src/engine/kernels/in-place';
import { inference } from '../../../src/engine/methods/method';
import { readFloats } from '../../../src/engine/webgpu/backend';
import { bf16ToF32, f32ToBf16 } from '../../../src/formats/half';
import type { SafetensorsTensor } from '../../../src/formats/safetensors';
import { parseSafetensorsHeader, safetensorsHeaderSize, writeSafetensors } from '../../../src/formats/safetensors';
import type { MethodSection } from '../../../src/methods';
import { objectiveOfTask } from '../../../src/objectives';
import { type OpenAdapter, openMethod } from '../../../src/workers/engine/adapters';
import { type Files, type LoadedFolder, openFolder } from '../../parity/matrix/folder';

const ROOT = 'tests/fixtures/heads';
export const { ids, logits, parameters } = JSON.parse(readFileSync(`${ROOT}/expected.json`, 'utf8')) as {
  ids: number[];
  logits: Record<string, number[]>;
  parameters: Record<string, string[]>;
};
export const IDS = Int32Array.from(ids);
/** Of tests/oracle/README.md; two float32 implementations differ by 8e-6 here, in gpt2. */
export const LIMIT = 1e-4;

const bytes = (...at: string[]) => new Uint8Array(readFileSync(path.join(ROOT, ...at)));
export const filesOf = (model: string): Files => ({
  'config.json': new Blob([bytes(model, 'config.json')]),
  'model.safetensors': new Blob([bytes(model, 'model.safetensors')]),
});
export const openModel = (model: string) => openFolder(filesOf(model));
export const adapterIn = (name: string) =>
  ['adapter_config.json', 'adapter_model.safetensors'].map((file) => ({ path: file, bytes: bytes(name, file) }));

export const tuned = ({ model, method }: Pick<OpenAdapter, 'model' | 'method'>) =>
  textLogits(model, method.hooks(inference()), IDS);

interface Read {
  dtype: string;
  shape: number[];
  data: Float32Array;
}

export function tensorsIn(file: Uint8Array): Map<string, Read> {
  const size = safetensorsHeaderSize(file, file.length, { where: 'file', code: 'bad_model' });
  const { tensors } = parseSafetensorsHeader(file.subarray(0, size), file.length, { where: 'file', code: 'bad_model' });
  return new Map(
    [...tensors].map(([name, { dtype, shape, start, end }]) => {
      const { buffer } = file.slice(start, end);
      const data = dtype === 'BF16' ? bf16ToF32(new Uint16Array(buffer)) : new Float32Array(buffer);
      return [name, { dtype, shape, data }];
    }),
  );
}

export const tensorsOf = async (blob: Blob) => tensorsIn(new Uint8Array(await blob.arrayBuffer()));

export const rewritten = (tensors: Map<string, Read>): Blob =>
  new Blob([
    writeSafetensors(
      [...tensors].map(([name, { dtype, shape, data }]): SafetensorsTensor => {
        return { name, dtype: dtype as 'F32', shape, data: dtype === 'BF16' ? f32ToBf16(data) : data };
      }),
    ),
  ]);

/** Every trained tensor is moved, as steps would move it. */
export async function trained({ base, checked }: LoadedFolder, method: Record<string, unknown>): Promise<OpenAdapter> {
  const lora = {
    ...{ r: 2, lora_alpha: 4, lora_dropout: 0, use_rslora: false, use_dora: false, loraplus_lr_ratio: 1 },
    ...{ init_lora_weights: 'default', rank_pattern: {}, alpha_pattern: {}, init_adapter: null },
    ...{ target_modules: 'all-linear', modules_to_save: [] },
  };
  const section = (method.type === 'lora' ? { ...lora, ...method } : method) as unknown as MethodSection;
  const objective = objectiveOfTask(null, checked.family.kind).type;
  const opened = await openMethod(base, section, { objective, task: null, seed: 3 });
  let index = 0;
  for (const tensor of opened.method.trainable.values()) {
    const values = await readFloats(tensor);
    writeValues(
      tensor,
      values.map((value) => value + 0.3 * (((index++ * 0.618033988749895) % 1) - 0.5)),
    );
  }
  return opened;
}

export const withTokenizer = (files: Files) =>
  Object.entries({ ...files, 'tokenizer.json': new Blob(['{}']) }).map(([name, file]) => ({ path: name, file }));

/** PEFT's rule, written out once more: every tensor of every module whose path ends in one of the names. */
export function peftSaves(model: string, names: string[]): string[] {
  return parameters[model]!.filter((name) => {
    const parts = `base_model.model.${name}`.split('.');
    return parts.some((_, i) => i > 2 && names.some((one) => parts.slice(0, i).join('.').endsWith(one)));
  }).sort();
}
