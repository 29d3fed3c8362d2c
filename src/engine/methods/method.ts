/** The interface of fine-tuning methods for the training loop, generation and files. */
import type * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel, ModelTensor } from '../models/model';
import type { Hooks, LinearModule } from '../types';
import type { Live } from '../webgpu/live';
import type { NamedTensors } from './tensors';

export interface CallContext {
  /** Dropout is active only in training. */
  training: boolean;
  seed: number;
  /** Counts the run's forward passes (micro-batches), so that a resumed run draws the same dropout masks. */
  pass: Live;
  /** 0 switches the method off, 1 is as trained; other values scale it. */
  strength: number;
}

export const inference = (strength = 1): CallContext => ({ training: false, seed: 0, pass: 0, strength });

export interface Method {
  /**
   * Trainable tensors by name, in a fixed order; all float32. A tensor that replaces one of the checkpoint's has that tensor's name;
   * tensors that a method adds have PEFT's or AdapterHub's names, without prefix.
   */
  trainable: Map<string, tf.Tensor>;
  /** Frozen tensors that belong in a checkpoint along with the trainable ones (PiSSA's initial factors), by name. */
  constants?: Map<string, tf.Tensor>;
  /** Factor on a tensor's learning rate (LoRA+, discriminative rates); 1 if omitted. */
  rate?(name: string): number;
  /** Whether a tensor is trained at a given step (gradual unfreezing); always if omitted. */
  active?(name: string, step: number, totalSteps: number): boolean;
  hooks(context: CallContext): Hooks;
  /**
   * The change of a linear layer's weight when merging at full strength, [out, in]; null if the method does not change it. The
   * caller disposes it.
   */
  delta(module: LinearModule): tf.Tensor | null;
  /** The same for a linear layer's bias, [out]; null or omitted if the method does not change it. The caller disposes it. */
  biasDelta?(module: LinearModule): tf.Tensor | null;
  /** Trained versions of the checkpoint's own tensors, by the checkpoint's names; written to an exported model folder. */
  opened?: Map<string, tf.Tensor>;
  /**
   * The tensors in an adapter's file if they differ from `trainable`: of a network that produces virtual tokens, PEFT saves only
   * the output. The caller disposes them. A run's checkpoint always has `trainable`.
   */
  saved?(): Map<string, tf.Tensor>;
  dispose(): void;
}

export interface MethodOptions {
  seed: number;
  /** The method's own tensors from an adapter or checkpoint to continue from; new ones if omitted. */
  values?: NamedTensors;
  /** Tokens of the text that initialises virtual tokens. */
  initText?: Int32Array;
  signal?: AbortSignal;
}

/** The engine's half of a method; the other half is its descriptor in src/methods. */
export interface MethodTwin<S extends { type: string }> {
  type: S['type'];
  create(model: LanguageModel, section: S, options: MethodOptions): Method | Promise<Method>;
  /** The method itself makes the checkpoint's tensors trainable, including the objective's head; others get the head added. */
  opens?: true;
  /** Tensors of the checkpoint that are trained in full along with the adapter. */
  modulesToSave?(model: LanguageModel, section: S): ModelTensor[];
  /** Shapes of all tensors by name, if a dry run should not initialise so many values at random. */
  shapes?(model: LanguageModel, section: S): Map<string, { shape: number[] }>;
  /** The files' tensors and the adapter_config.json fields that depend on the model. Omitted: just the method's tensors. */
  exported?(
    model: LanguageModel,
    method: Method,
    section: S,
  ): Promise<{ config: Record<string, unknown>; tensors: NamedTensors }>;
  /** The same for a trainer to start from: scales stay settings, and what is frozen is left out. Omitted: as `exported`. */
  started?: MethodTwin<S>['exported'];
}
