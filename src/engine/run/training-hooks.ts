/** The hooks of one forward pass of training: the method's, with dropout and noise. */
import type { TrainingSection } from '../../recipe/types';
import { dropout } from '../kernels/pointwise/dropout';
import type { Method } from '../methods/method';
import type { Hooks } from '../types';
import type { Live } from '../webgpu/live';
import { neftune } from './neftune';

/** Sites of the model's own dropout; LoRA's tags count from 0. */
const SITES_FROM = 2 ** 24;

/** `pass` counts the forward passes of the run. */
export function trainingHooks(
  method: Method,
  settings: Pick<TrainingSection, 'seed' | 'model_dropout' | 'neftune_noise_alpha'>,
  pass: Live,
): Hooks {
  const { seed } = settings;
  const hooks = method.hooks({ training: true, seed, pass, strength: 1 });
  const noise = neftune(settings.neftune_noise_alpha, { seed, pass });
  return {
    ...hooks,
    ...(noise ? { embeddings: noise } : {}),
    ...(settings.model_dropout
      ? {
          dropout: (x, p, site) => dropout(x, { p, seed, step: pass, tag: SITES_FROM + site }),
          attentionDropout: { seed, step: pass },
        }
      : {}),
  };
}
