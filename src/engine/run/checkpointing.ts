/**
 * Gradient checkpointing (Chen et al., 2016; transformers' `gradient_checkpointing`): of each block only the input is
 * kept, and the backward pass recomputes the block before it differentiates it. Activations then take the memory of one
 * block instead of all, at the cost of one more forward pass. Dropout draws the same masks again, since they are a
 * function of seed, pass and tag, so the result is bit-identical.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { GradientPlace } from '../kernels/kernel';
import { asOneNode, recordLean, valueAndPlacedGradients, withoutTape } from '../kernels/tape';
import { depthOf } from '../methods/layer-depth';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';

type BlockHook = NonNullable<Hooks['block']>;

/**
 * Bytes of cheap activations, such as the outputs of norms, that are kept: in a pass, and with checkpointing while a block is
 * differentiated. Beyond them, each is computed again. A test may set others.
 */
export const cheapMemory = { pass: 512 * 2 ** 20, block: 16 * 2 ** 20 };

/** The hook that runs each block this way; `trainable` are the learned tensors by name. */
export function checkpointBlocks(
  model: Pick<LanguageModel, 'blockPaths'>,
  trainable: Map<string, tf.Tensor>,
): BlockHook {
  const inside = new Map(
    model.blockPaths.map((path) => [
      path,
      [...trainable].filter(([name]) => name.startsWith(`${path}.`)).map(([, tensor]) => tensor),
    ]),
  );
  return (path, _index, x, run, beside = []) => {
    const params = inside.get(path) ?? [];
    return asOneNode(
      'CheckpointedBlock',
      [x, ...beside, ...params],
      [x, ...beside],
      () => run(x),
      (dy, saved, wanted, placeOf) => {
        const [input, ...read] = saved as [tf.Tensor, ...tf.Tensor[]];
        const all = [...saved, ...params];
        const asked = wanted.map((i) => all[i]!);
        const places = new Map<tf.Tensor, GradientPlace>();
        for (const i of wanted) {
          const place = placeOf(i);
          if (place) places.set(all[i]!, place);
        }
        const again = () => recordLean(() => run(input, read), { bytes: cheapMemory.block });
        const { value, grads } = valueAndPlacedGradients(again, asked, places, dy);
        value.dispose();
        return grads.map((grad) => grad ?? null);
      },
    );
  };
}

/** The hook that runs each block of one pass without checkpointing: it keeps what is dear to compute. */
export function leanBlocks(): BlockHook {
  const room = { bytes: cheapMemory.pass };
  return (_path, _index, x, run, beside) => recordLean(() => run(x, beside), room);
}

/**
 * No gradient flows below the lowest block in which something is learned: the blocks below keep only their output.
 * `learning` are the names of the learned tensors; `above` runs the other blocks.
 */
export function frozenBelow(
  model: Pick<LanguageModel, 'blockPaths' | 'tensors'>,
  learning: Iterable<string>,
  above: BlockHook,
): BlockHook {
  const blocks = model.blockPaths;
  const depth = depthOf(model);
  const known = new Set(model.tensors.map(({ name }) => name));
  let lowest: number = blocks.length;
  for (const name of learning) {
    const own = blocks.findIndex((path) => name.startsWith(`${path}.`));
    // Tensors that are neither the model's nor in a block precede all blocks: virtual tokens.
    if (own >= 0) lowest = Math.min(lowest, own);
    else if (!known.has(name) || depth(name) > 0) lowest = 0;
  }
  return (path, index, x, run, beside) =>
    index < lowest ? withoutTape(() => run(x)) : above(path, index, x, run, beside);
}

/** For a pass without gradients: a block keeps only its output. */
export function forwardOnly(hooks: Hooks): Hooks {
  return { ...hooks, block: (_path, _index, x, run) => tf.tidy(() => run(x)) };
}
