/** The run as a Python script on Transformers, PEFT and TRL, with its data. */
import type { Export } from '../../export';
import * as methods from './methods/all';
import * as objectives from './objectives/all';

export const trl: Export<'trl'> = {
  id: 'trl',
  group: 'trainer',
  needsTraining: false,
  label: () => 'Python script (TRL)',
  forWhom: 'Transformers, PEFT, TRL',
  contents: () =>
    '**The run as a Python script**, `train.py`, with its tokenised rows in order and its start. `uv run train.py` runs it; what it does otherwise than here is listed in it.',
  refusal({ method, objective }) {
    const has = (parts: object, type: string) => Object.values(parts).some((part) => part.type === type);
    if (has(objectives, objective) && has(methods, method.type)) return null;
    return 'There is no script for this method and objective yet. Axolotl and LLaMA-Factory may have them.';
  },
  fileName: (name) => `${name}-trl.zip`,
  writer: async () => (await import('./write')).write,
};
