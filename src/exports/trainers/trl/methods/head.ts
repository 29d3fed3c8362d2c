/** The head of a classifier, on a model that stays as it is. */
import type { HeadMethod } from '../../../../methods/head';
import type { TrlMethod } from '../part';
import headOnly from '../python/head_only.py?raw';

export const head: TrlMethod<HeadMethod> = {
  type: 'head',
  leaves: 'model',
  attach: () => ['with_head_alone(model)'],
  python: () => ({ imports: ['from safetensors.torch import load_file'], definitions: [headOnly] }),
};
