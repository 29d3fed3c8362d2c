/** The run as a Python script on Transformers, PEFT and TRL, with its data. */
import { typeRefusal } from '../../../recipe/conversion/type-refusal';
import type { Export } from '../../export';

export const trl: Export<'trl'> = {
  id: 'trl',
  group: 'trainer',
  needsTraining: false,
  label: () => 'Python script (TRL)',
  forWhom: 'Transformers, PEFT, TRL',
  contents: () =>
    '**The run as a Python script**, `train.py`, with its tokenised rows in order and its start. `uv run train.py` runs it; what it does otherwise than here is listed in it.',
  refusal: ({ method, objective }) => typeRefusal('trl', method, objective),
  fileName: (name) => `${name}-trl.zip`,
  writer: async () => (await import('./write')).write,
};
