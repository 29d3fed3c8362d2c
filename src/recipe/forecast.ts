/** The length of a run, known before it starts. */
import { paceOf } from '../objectives';
import type { Recipe, TrainingSection } from './types';

type Settings = Pick<TrainingSection, 'per_device_train_batch_size' | 'gradient_accumulation_steps'>;

/** Optimiser steps per epoch, as transformers' Trainer counts them: the smaller last step of an epoch counts too. */
export function stepsPerEpoch(trainExamples: number, training: Settings, objective?: Recipe['objective']): number {
  const pace = objective && paceOf(objective, training);
  if (pace) return Math.ceil(trainExamples / pace.examples) * pace.steps;
  const microBatches = Math.ceil(trainExamples / training.per_device_train_batch_size);
  return Math.ceil(microBatches / training.gradient_accumulation_steps);
}

/** Optimiser steps of the run: max_steps if set, otherwise the steps of all epochs, rounded up. */
export function totalSteps(
  trainExamples: number,
  { training, objective }: Pick<Recipe, 'training' | 'objective'>,
): number {
  if (training.max_steps > 0) return training.max_steps;
  return Math.ceil(training.num_train_epochs * stepsPerEpoch(trainExamples, training, objective));
}
