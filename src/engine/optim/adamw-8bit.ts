/**
 * AdamW with moments of one byte per value (Dettmers et al., 2022), as in bitsandbytes' AdamW8bit: tensors with fewer than
 * 4096 values keep float32 moments. Blocks of 256 values never span two tensors, so tensors start at multiples of 256.
 *
 * bitsandbytes' CPU code finds the nearest code through a table of 65536 steps, in which the smallest second moments all
 * become one; this code finds the exact nearest one, like its GPU code.
 */
import * as tf from '@tensorflow/tfjs-core';
import { keptZeros, writeValues } from '../kernels/in-place';
import { adamW } from '../kernels/optimisers/adamw';
import { adamW8, BLOCK } from '../kernels/optimisers/adamw-8bit';
import { dynamicMap } from '../quantization/nf4';
import type { Place } from './flat-layout';
import { pace, type RuleKind, type StatePart } from './update-rule';

/** bitsandbytes' min_8bit_size. */
const SMALLEST = 4096;

const isSmall = (place: { block: number }) => place.block < BLOCK;

export const adamw8bit: RuleKind = {
  block: (size) => (size < SMALLEST ? 1 : BLOCK),
  create(layout, settings) {
    // Small tensors come last in the flat buffers.
    const split = layout.flat.find(isSmall)?.offset ?? layout.size;
    const small = layout.size - split;
    const owned: tf.Tensor[] = [];
    const keep = <T extends tf.Tensor>(tensor: T): T => {
      owned.push(tensor);
      return tensor;
    };
    const parts: StatePart[] = [];
    const floats = (prefix: string) => {
      const tensor = keep(keptZeros([small]));
      const piece = (place: Place) => (isSmall(place) ? { offset: place.offset - split, shape: place.shape } : null);
      parts.push({ prefix, tensor, piece });
      return tensor;
    };
    const bytes = (prefix: string, codeOfZero: number) => {
      const tensor = keep(keptZeros([split / 4], 'int32'));
      const piece = (place: Place) => (isSmall(place) ? null : { offset: place.offset, shape: place.shape });
      parts.push({ prefix, tensor, piece, bytes: { gap: codeOfZero } });
      return tensor;
    };
    const large = split > 0 ? createLarge() : null;
    const moments = small > 0 ? { m: floats('adam_m'), v: floats('adam_v') } : null;

    function createLarge() {
      const [signed, unsigned] = [dynamicMap(true), dynamicMap(false)];
      const codes = keep(keptZeros([2 * signed.length]));
      writeValues(codes, Float32Array.of(...signed, ...unsigned));
      const absmax = keep(keptZeros([(2 * split) / BLOCK]));
      const piece = (place: Place) =>
        isSmall(place) ? null : { offset: (2 * place.offset) / BLOCK, shape: [Math.ceil(place.size / BLOCK), 2] };
      parts.push({ prefix: 'adam_absmax', tensor: absmax, piece });
      return { codes, absmax, m: bytes('adam_m8', signed.indexOf(0)), v: bytes('adam_v8', unsigned.indexOf(0)) };
    }

    return {
      update(buffers, ranges, learningRate) {
        for (const range of ranges) {
          const hyper = {
            ...pace(range, learningRate, settings.weight_decay),
            beta1: settings.adam_beta1,
            beta2: settings.adam_beta2,
            epsilon: settings.adam_epsilon,
            step: range.step,
          };
          if (isSmall(range)) adamW({ ...buffers, ...moments! }, range, hyper, split);
          else adamW8({ ...buffers, ...large! }, range, hyper);
        }
      },
      parts,
      dispose: () => tf.dispose(owned),
    };
  },
};
