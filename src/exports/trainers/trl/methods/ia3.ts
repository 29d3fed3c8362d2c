/** (IA)³ in PEFT. */
import type { Ia3Method } from '../../../../methods/ia3';
import type { TrlMethod } from '../part';
import { ATTACH, openedByPeft } from './peft-adapter';

export const ia3: TrlMethod<Ia3Method> = {
  type: 'ia3',
  leaves: 'adapter',
  attach: () => ATTACH,
  python: openedByPeft,
};
