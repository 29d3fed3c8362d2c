/** What every fine-tuning method offers to the training loop, to generation and to files. */
import type * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel, ModelTensor } from '../models/model';
import type { Hooks, LinearModule } from '../types';
import type { NamedTensors } from './tensors';

export interface CallContext {
  /** Dropout is on only in training. */
  training: boolean;
  seed: number;
  /** Counts forward passes of the run (micro-batches), so that a resumed run draws the same masks. */
  pass: number;
  /** 0 switches the method off, 1 is as trained; between and beyond scales it. */
  strength: number;
}

export const inference = (strength = 1): CallContext => ({ training: false, seed: 0, pass: 0, strength });

export interface Method {
  /**
   * Trainable tensors by name, in a fixed order; all float32. A tensor that stands in for one of the checkpoint's goes by that
   * one's name; what a method adds goes by PEFT's or AdapterHub's, without their prefix.
   */
  trainable: Map<string, tf.Tensor>;
  /** Tensors that do not learn but belong to a checkpoint beside the trainable ones (what PiSSA began with), by name. */
  constants?: Map<string, tf.Tensor>;
  /** How fast a tensor learns beside the others (LoRA+, discriminative rates); 1 where left out. */
  rate?(name: string): number;
  /** Which tensors learn at a step, of so many (gradual unfreezing); all of them where left out. */
  active?(name: string, step: number, totalSteps: number): boolean;
  hooks(context: CallContext): Hooks;
  /**
   * What merging at full strength adds to a linear's weight, [out, in]; null where the method leaves it alone. The caller
   * disposes it.
   */
  delta(module: LinearModule): tf.Tensor | null;
  /** What merging adds to a linear's bias, [out]; null or left out where the method leaves it alone. The caller disposes it. */
  biasDelta?(module: LinearModule): tf.Tensor | null;
  /** Trained forms of the checkpoint's own tensors, by its names: what a model folder is written with. */
  opened?: Map<string, tf.Tensor>;
  /**
   * What an adapter's file holds, where that is other than the trainable tensors: PEFT keeps of a network that makes virtual
   * tokens only what comes out of it. The caller disposes them. A checkpoint of a run holds `trainable` all the same.
   */
  saved?(): Map<string, tf.Tensor>;
  dispose(): void;
}

export interface MethodOptions {
  seed: number;
  /** The method's own tensors, of an adapter or a checkpoint to continue from; new ones if left out. */
  values?: NamedTensors;
  /** Tokens of the text that virtual tokens start from. */
  initText?: Int32Array;
  signal?: AbortSignal;
}

/** The engine's half of a method; the other half is its descriptor in src/methods. */
export interface MethodTwin<S extends { type: string }> {
  type: S['type'];
  create(model: LanguageModel, section: S, options: MethodOptions): Method | Promise<Method>;
  /** The method opens tensors of the checkpoint itself, the objective's head included; others get the head beside them. */
  opens?: true;
  /** Tensors of the checkpoint that are trained whole beside the adapter. */
  modulesToSave?(model: LanguageModel, section: S): ModelTensor[];
  /** Every tensor by name, if there are so many that a dry run should not draw them at random. */
  shapes?(model: LanguageModel, section: S): Map<string, { shape: number[] }>;
  /** What the files hold, with the fields of adapter_config.json that depend on the model. Left out: the method's tensors. */
  exported?(
    model: LanguageModel,
    method: Method,
    section: S,
  ): Promise<{ config: Record<string, unknown>; tensors: NamedTensors }>;
}
