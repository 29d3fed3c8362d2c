/** How far a method has moved the weights of each module of a model. */
import * as tf from '@tensorflow/tfjs-core';
import { rowSquares } from '../kernels/norms/row-squares';
import type { LanguageModel } from '../models/model';
import { readFloats } from '../webgpu/backend';
import type { Method } from './method';
import { headTensors, widened } from './opened-tensors';

export interface ModuleChange {
  /** The tensor's name in the checkpoint, `model.layers.0.self_attn.q_proj.weight`. */
  name: string;
  /** The block that it is in, counted from 0; null for embeddings and what follows the blocks. */
  layer: number | null;
  /** ‖ΔW‖ and ‖W‖, both Frobenius. */
  change: number;
  weight: number;
}

/**
 * Every tensor of the checkpoint that the method changes: ΔW is what merging would add, or the trained tensor minus the base's.
 * A new head has no weights to have moved from, and is left out. Null when cancelled.
 */
export async function layerChanges(
  model: LanguageModel,
  method: Method,
  onProgress: (done: number, total: number) => void = () => {},
  cancelled: () => boolean = () => false,
): Promise<ModuleChange[] | null> {
  const heads = new Set(headTensors(model).map(({ name }) => name));
  const found: ModuleChange[] = [];
  const total = model.linears.length + (method.opened?.size ?? 0);
  let done = 0;
  const add = async (name: string, squares: () => [change: tf.Tensor, weight: tf.Tensor]) => {
    const sums = tf.tidy(() => tf.stack(squares()));
    const [change, weight] = await readFloats(sums);
    sums.dispose();
    found.push({ name, layer: layerOf(model, name), change: Math.sqrt(change!), weight: Math.sqrt(weight!) });
  };
  const squared = (tensor: tf.Tensor) => tf.sum(tf.square(tensor));

  for (const module of model.linears) {
    if (cancelled()) return null;
    onProgress(done++, total);
    const { path, weight, bias } = module;
    if (heads.has(`${path}.weight`)) continue;
    const delta = method.delta(module);
    if (delta) {
      await add(`${path}.weight`, () => [squared(delta), tf.sum(rowSquares(weight))]);
      delta.dispose();
    }
    const moved = bias ? (method.biasDelta?.(module) ?? null) : null;
    if (moved) {
      await add(`${path}.bias`, () => [squared(moved), squared(bias!)]);
      moved.dispose();
    }
  }
  const seen = new Set(found.map(({ name }) => name));
  const base = new Map(model.tensors.map((tensor) => [tensor.name, tensor.value]));
  for (const [name, trained] of method.opened ?? []) {
    if (cancelled()) return null;
    onProgress(done++, total);
    const value = base.get(name);
    if (!value || seen.has(name) || heads.has(name)) continue;
    await add(name, () => {
      const before = value.kind === 'vector' ? value.tensor : widened(value.weight);
      return [squared(tf.sub(trained, before)), squared(before)];
    });
  }
  onProgress(total, total);
  return found;
}

function layerOf({ blockPaths }: Pick<LanguageModel, 'blockPaths'>, name: string): number | null {
  const layer = blockPaths.findIndex((path) => name.startsWith(`${path}.`));
  return layer < 0 ? null : layer;
}
