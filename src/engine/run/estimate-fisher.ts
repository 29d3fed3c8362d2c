/**
 * How much the base needs each weight for some texts, which EWC's penalty is weighted by. One text per pass, no
 * dropout.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../data/types';
import { workDone } from '../kernels/in-place';
import { valueAndGradients } from '../kernels/tape';
import { inference, type Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import type { Objective } from '../objectives/objective';
import { createFisher } from '../optim/fisher';
import type { Optimizer } from '../optim/optimizer';
import { beginWork } from '../webgpu/pool';
import { checkpointBlocks } from './checkpointing';
import { createPass } from './pass';

export interface FisherSetup {
  model: LanguageModel;
  method: Method;
  /** Its loss with scale 1 is the negative log-likelihood, summed over a text's tokens. */
  objective: Objective;
  optimizer: Optimizer;
  checkpointing?: boolean;
}

/**
 * `texts` are batches of one row. Null if stopped meanwhile; otherwise the caller owns the tensor (see WeightPenalty).
 */
export async function estimateFisher(
  { model, method, objective, optimizer, checkpointing }: FisherSetup,
  texts: Batch[],
  stopped: () => boolean = () => false,
): Promise<tf.Tensor | null> {
  const sum = createFisher(optimizer.layout);
  const own = method.hooks(inference());
  const hooks = checkpointing ? { ...own, block: checkpointBlocks(model, method.trainable) } : own;
  try {
    for (const text of texts) {
      if (stopped()) {
        sum.dispose();
        return null;
      }
      beginWork();
      const pass = createPass({ model, method, objective }, { hooks, scale: 1, withGradient: true });
      const { value, grads } = valueAndGradients(() => objective.loss(pass, text).loss, optimizer.tensors);
      sum.add(grads);
      value.dispose();
      for (const g of grads) g.dispose();
      await workDone();
    }
  } catch (error) {
    sum.dispose();
    throw error;
  }
  return sum.finish(Math.max(1, texts.length));
}
