/** What the other trainer does otherwise, or not at all: said at the top of the script, in the README and on the screen. */
import { FP16_DIFFERENCE } from '../../../recipe/conversion/training-fields';
import type { Recipe } from '../../../recipe/types';
import type { BaseModel } from '../base-model';
import type { TrainingData } from '../training-data';
import { optimizerOf } from './optimizers';
import type { TrlMethod, TrlObjective } from './part';

interface Parts {
  data: TrainingData;
  objective: TrlObjective<{ type: string }>;
  method: TrlMethod<{ type: string }>;
  base: BaseModel;
  /** The base's config.json has a dropout above 0. */
  dropout: boolean;
}

export function differencesOf({ data, objective, method, base, dropout }: Parts): string[] {
  const { recipe } = data;
  const { training } = recipe;
  return [
    ...(objective.differences?.(recipe.objective, data) ?? []),
    ...(method.differences?.(recipe.method, data) ?? []),
    ...optimizerOf(training).differences,
    ...precision(recipe, base),
    ...drawn(recipe, dropout),
    ...missing(recipe),
  ];
}

function* precision({ model, training }: Recipe, { gguf }: BaseModel): Iterable<string> {
  if (model.quantization !== 'none') {
    const bits = model.quantization === 'nf4' ? 'four bits' : 'eight bits';
    yield `The base is trained in float32 and not in ${bits}: it takes more memory, and the losses differ by what rounding to ${bits} changes.`;
  }
  if (training.fp16) yield FP16_DIFFERENCE('transformers');
  if (gguf !== null) {
    yield 'transformers opens the GGUF file as float32 weights: it takes more memory than the file, and the losses differ by rounding.';
  }
}

/** What is random, and drawn from another generator there. */
function* drawn({ training, method }: Recipe, dropout: boolean): Iterable<string> {
  const what = [
    ...(dropout && training.model_dropout ? ['the model’s dropout'] : []),
    ...('lora_dropout' in method && method.lora_dropout > 0 ? ['the adapter’s dropout'] : []),
    ...(training.neftune_noise_alpha > 0 ? ['NEFTune’s noise'] : []),
  ];
  if (what.length > 0) {
    yield `PyTorch draws ${what.join(' and ')} from a generator of its own: the curve is alike, and not the same.`;
  }
}

/** Settings that no trainer there has. */
function* missing({ training }: Recipe): Iterable<string> {
  if (training.ewc_lambda > 0) yield 'There is no penalty on moving important weights (EWC).';
  if (training.l2_sp_alpha > 0) yield 'There is no penalty on moving weights (L2-SP).';
  if (training.ema_decay > 0)
    yield 'There is no moving average of the weights: what is evaluated and kept is the weights themselves.';
}
