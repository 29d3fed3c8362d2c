/** The run as a config for LLaMA-Factory, with its rows and its start. */
import { typeRefusal } from '../../recipe/conversion/type-refusal';
import type { Export } from '../export';

export const llamafactory: Export<'llamafactory'> = {
  id: 'llamafactory',
  group: 'trainer',
  needsTraining: false,
  label: () => 'LLaMA-Factory',
  forWhom: 'LLaMA-Factory',
  contents: () =>
    '**The run as a config for LLaMA-Factory**, `llamafactory.yaml`, with the rows of both sides and their `dataset_info.json`, what training starts from, and a list of what differs.',
  refusal: ({ method, objective }) => typeRefusal('llamafactory', method, objective),
  fileName: (name) => `${name}-llamafactory.zip`,
  writer: async () => (await import('./write-llamafactory')).writeLlamaFactory,
};
