/**
 * Where each trainable tensor is stored in the flat buffers. Tensors that are updated alike (same weight decay, same rate)
 * are adjacent, so that one dispatch updates them all; which tensors are active can change from step to step.
 */
import type * as tf from '@tensorflow/tfjs-core';

export interface Place {
  name: string;
  tensor: tf.Tensor;
  /** In values. */
  offset: number;
  size: number;
  shape: number[];
  /** Multiplies the schedule's learning rate. */
  rate: number;
  /** Whether weight decay applies. */
  decays: boolean;
  /** The place starts at a multiple of this, and so does whatever follows it. */
  block: number;
}

export interface Layout {
  /** In the order of the method's tensors. */
  places: Place[];
  /** The same places in the order of their offsets. */
  flat: Place[];
  byName: Map<string, Place>;
  /** Number of values in a flat buffer, gaps included. */
  size: number;
}

/** Adjacent tensors that an update treats alike. Gaps between them hold zeros in every buffer, and always will. */
export interface Range {
  offset: number;
  length: number;
  /** Indices into `layout.flat`: [first, end). */
  first: number;
  end: number;
  rate: number;
  decays: boolean;
  block: number;
  /** How many updates the tensors will have had after this one, from 1; torch counts them per tensor. */
  step: number;
}

export interface LayoutOptions {
  rate?(name: string): number;
  decays?(name: string): boolean;
  /** The alignment of a tensor with this many values; 1 by default. */
  block?(size: number): number;
}

/**
 * transformers' Trainer.get_decay_parameter_names, by name: no weight decay for biases and norms. The last pattern replaces
 * its check of the module's class, which finds GPT-2's ln_1, ln_2 and ln_f.
 */
const NO_DECAY = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/, /(?:^|\.)ln_\w+\.weight$/];

export const decays = (name: string): boolean => !NO_DECAY.some((pattern) => pattern.test(name.toLowerCase()));

export function layOut(trainable: Map<string, tf.Tensor>, options: LayoutOptions = {}): Layout {
  const { rate = () => 1, block = () => 1 } = options;
  const decaysOf = options.decays ?? decays;
  const places = [...trainable].map(
    ([name, tensor]): Place => ({
      name,
      tensor,
      offset: 0,
      size: tensor.size,
      shape: tensor.shape,
      rate: rate(name),
      decays: decaysOf(name),
      block: block(tensor.size),
    }),
  );
  // The sort is stable, so equal ones stay in the method's order.
  const flat = [...places].sort((a, b) => b.block - a.block || Number(b.decays) - Number(a.decays) || b.rate - a.rate);
  let size = 0;
  for (const place of flat) {
    place.offset = size;
    size = Math.ceil((size + place.size) / place.block) * place.block;
  }
  return { places, flat, byName: new Map(places.map((p) => [p.name, p])), size };
}

/** The active tensors in as few ranges as their settings allow. */
export function rangesOf(layout: Layout, active: (name: string) => boolean, updates: Map<string, number>): Range[] {
  const ranges: Range[] = [];
  layout.flat.forEach((place, i) => {
    if (!active(place.name)) return;
    const step = updates.get(place.name)! + 1;
    const last = ranges.at(-1);
    const alike =
      last &&
      last.end === i &&
      last.step === step &&
      last.rate === place.rate &&
      last.decays === place.decays &&
      last.block === place.block;
    if (alike) {
      last.end = i + 1;
      last.length = place.offset + place.size - last.offset;
    } else {
      const { offset, size: length, rate, decays, block } = place;
      ranges.push({ offset, length, first: i, end: i + 1, rate, decays, block, step });
    }
  });
  return ranges;
}
