/** Creates a method's tensors: new ones, or those of an adapter or checkpoint, which must fit the model. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';

/** Values by tensor name, `model.layers.0.self_attn.q_proj.lora_A.weight`. */
export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

export interface TensorMaker {
  /**
   * The given tensor of that name, or `initial` if no tensors were given, or if this one is missing and `optional`. Lives until
   * `dispose`.
   */
  make(name: string, shape: number[], initial: () => Float32Array | tf.Tensor, optional?: boolean): tf.Tensor;
  /** Throws if any given tensor was not used. */
  finish(): void;
  dispose(): void;
}

export function tensorMaker(values?: NamedTensors): TensorMaker {
  const made = new Map<string, tf.Tensor>();
  return {
    make(name, shape, initial, optional = false) {
      const given = values?.get(name);
      if (values && ((!given && !optional) || (given && given.shape.join() !== shape.join()))) {
        throw new TabtuneError({
          code: 'bad_adapter',
          message: given
            ? `The adapter's tensor ${name} has shape [${given.shape}], but this model needs [${shape}].`
            : `The adapter lacks the tensor ${name}.`,
          where: name,
          action: 'Load the adapter on the model that it was trained on.',
        });
      }
      const start = given?.data ?? initial();
      const tensor = tf.keep(start instanceof tf.Tensor ? start : tf.tensor(start, shape, 'float32'));
      made.set(name, tensor);
      return tensor;
    },
    finish() {
      const strangers = values ? [...values.keys()].filter((name) => !made.has(name)) : [];
      if (strangers.length === 0) return;
      throw new TabtuneError({
        code: 'bad_adapter',
        message: `The adapter has ${strangers.length} tensors that do not belong to this model.`,
        where: strangers[0],
        action: 'Load the adapter on the model that it was trained on.',
      });
    },
    dispose() {
      for (const tensor of made.values()) tensor.dispose();
      made.clear();
    },
  };
}
