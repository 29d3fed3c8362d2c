/** Learning rates, by objective, of the methods that train the model's own weights. */
import type { MethodDescriptor } from './method';

export const WEIGHT_RATES: NonNullable<MethodDescriptor<{ type: string }>['defaults']> = {
  'training.learning_rate': [
    { when: ({ compares }) => compares === true, default: 1e-6, usual: [5e-7, 5e-6], source: 'TRL' },
    {
      when: ({ learns }) => learns === 'text',
      default: 5e-5,
      usual: [1e-5, 1e-4],
      source: 'BERT, Hugging Face’s examples',
    },
    { when: ({ learns }) => learns === 'labels', default: 5e-5, usual: [2e-5, 5e-5], source: 'BERT' },
    { default: 2e-5, usual: [1e-5, 5e-5], source: 'Unsloth Studio' },
  ],
};
