/** The run as a config for Axolotl, with its rows and its start. */
import { typeRefusal } from '../../recipe/conversion/type-refusal';
import type { Export } from '../export';

export const axolotl: Export<'axolotl'> = {
  id: 'axolotl',
  group: 'trainer',
  needsTraining: false,
  label: () => 'Axolotl',
  forWhom: 'Axolotl',
  contents: () =>
    '**The run as a config for Axolotl**, `axolotl.yml`, with the rows of both sides, what training starts from, and a list of what differs.',
  refusal: ({ method, objective }) => typeRefusal('axolotl', method, objective),
  fileName: (name) => `${name}-axolotl.zip`,
  writer: async () => (await import('./write-axolotl')).writeAxolotl,
};
