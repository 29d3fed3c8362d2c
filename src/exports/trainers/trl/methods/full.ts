/** All weights of the model. */
import type { FullMethod } from '../../../../methods/full';
import type { TrlMethod } from '../part';

export const full: TrlMethod<FullMethod> = {
  type: 'full',
  leaves: 'model',
  attach: () => [],
};
