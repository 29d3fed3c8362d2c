/**
 * Where each trainable tensor lies in the flat buffers. Tensors that are updated alike (same weight decay, same rate) lie
 * side by side, so that one dispatch updates them all; which of them are, can change from step to step.
 */
import type * as tf from '@tensorflow/tfjs-core';

export interface Place {
  name: string;
  tensor: tf.Tensor;
  /** In values. */
  offset: number;
  size: number;
  shape: number[];
  /** Learning rate beside the schedule's. */
  rate: number;
  /** Does weight decay apply? */
  decays: boolean;
  /** The place begins at a multiple of this, and what follows it does. */
  block: number;
}

export interface Layout {
  /** In the order of the method's tensors. */
  places: Place[];
  /** The same ones in the order of their offsets. */
  flat: Place[];
  byName: Map<string, Place>;
  /** Values of a flat buffer, gaps included. */
  size: number;
}

/** Neighbours that an update treats alike. Gaps between them hold zeros in every buffer, and stay so. */
export interface Range {
  offset: number;
  length: number;
  /** Indices into `layout.flat`: [first, end). */
  first: number;
  end: number;
  rate: number;
  decays: boolean;
  block: number;
  /** Updates that the tensors will have had with this one, from 1: torch counts them tensor by tensor. */
  step: number;
}

export interface LayoutOptions {
  rate?(name: string): number;
  decays?(name: string): boolean;
  /** Where a tensor of so many values may begin; 1 where left out. */
  block?(size: number): number;
}

/**
 * Trainer.get_decay_parameter_names of transformers, by names: no weight decay for biases and for norms. The last pattern
 * stands for its look at the class, which finds GPT-2's ln_1, ln_2 and ln_f.
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
  // A stable sort: equal ones stay in the method's order.
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
