/** From padded rows of token ids to what a model's forward pass takes. */
import type * as tf from '@tensorflow/tfjs-core';
import type { PaddedRows } from '../../data/types';
import { causalVisible, fullVisible } from '../kernels/attention/visible';
import { int32Input, type LiveFloats, type LiveInts } from '../kernels/inputs';
import type { LanguageModel, TextInput } from './model';

/** `starts` as in NextTokenBatch; null or left out when every row is a single text. */
export type InputRows = PaddedRows & { starts?: Int32Array | null };

/** Makes an int32 tensor of `values`; `use` names what it is for. */
export type MakeInput = (use: string, values: LiveInts, shape: number[]) => tf.Tensor;

/** The same of float32. */
export type MakeFloats = (use: string, values: LiveFloats, shape: number[]) => tf.Tensor;

export interface InputOptions {
  states?: TextInput['states'];
  /** Reused tensors when left out: the next call of the same shape overwrites them. */
  make?: MakeInput;
}

/**
 * Decoders see what came before, encoders the whole text. In packed rows positions start again with each text, and no
 * text sees another.
 */
export function textInput(
  { kind }: Pick<LanguageModel, 'kind'>,
  rows: InputRows,
  { states = 'text', make = int32Input }: InputOptions = {},
): TextInput {
  const { batchSize, length } = rows;
  const tokens = batchSize * length;
  return {
    kind: 'text',
    ids: make('ids', () => rows.ids, [tokens]),
    positions: make('positions', () => positionsOf(rows), [tokens]),
    visible: make('visible', () => visibleOf(kind, rows), [tokens, 2]),
    types: null,
    batch: batchSize,
    length,
    states,
  };
}

/** [B·T]: a token's position in its text; on padding, in the row. */
export function positionsOf({ batchSize, length, lengths, starts }: InputRows): Int32Array {
  return Int32Array.from({ length: batchSize * length }, (_, i) => {
    const t = i % length;
    return starts && t < lengths[Math.floor(i / length)]! ? t - starts[i]! : t;
  });
}

/** [B·T, 2]: the keys of its row that a token attends to (kernels/attention/visible.ts). */
export function visibleOf(kind: LanguageModel['kind'], { length, lengths, starts }: InputRows): Int32Array {
  const visible = kind === 'decoder' ? causalVisible(lengths, length) : fullVisible(lengths, length);
  if (!starts) return visible;
  for (let b = 0; b < lengths.length; b++) {
    const real = Math.min(lengths[b]!, length);
    let end = real;
    // Backwards, so that an encoder's text knows where it ends.
    for (let t = real - 1; t >= 0; t--) {
      const i = b * length + t;
      if (t + 1 < real && starts[i + 1]! !== starts[i]!) end = t + 1;
      visible[2 * i] = starts[i]!;
      if (kind === 'encoder') visible[2 * i + 1] = end;
    }
  }
  return visible;
}
