/** The whole model with its training, as a folder in Hugging Face's layout. */
import { leavesModel, methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { Export, Exported, MergedDtype } from './export';
import { fileName } from './names';

type MergedId = 'merged-f32' | 'merged-bf16' | 'merged-f16';

const isModel = ({ method }: Exported) => leavesModel(methodOf(method));

const precisions: { id: MergedId; dtype: MergedDtype; name: string; text: string }[] = [
  {
    id: 'merged-bf16',
    dtype: 'BF16',
    name: 'bfloat16',
    text: 'What most models are published in. Almost always right.',
  },
  {
    id: 'merged-f16',
    dtype: 'F16',
    name: 'float16',
    text: 'For older GPUs and runtimes without bfloat16. More precise, with a smaller range.',
  },
  {
    id: 'merged-f32',
    dtype: 'F32',
    name: 'float32',
    text: 'No rounding. Best for further conversion or quantisation.',
  },
];

export const mergedExports: readonly Export<MergedId>[] = precisions.map(({ id, dtype, name, text }) => ({
  id,
  group: 'model',
  variant: { of: 'merged', name, text },
  label: (exported) => (isModel(exported) ? 'Hugging Face model' : 'Merged Hugging Face model'),
  action: (exported) => (isModel(exported) ? 'Export model' : 'Export merged model'),
  forWhom: 'transformers, and whatever converts its models',
  contents: (exported) =>
    [
      `**${isModel(exported) ? 'The model' : 'The merged model'}** as a complete Hugging Face folder in one zip: \`model.safetensors\`, config, tokeniser and a model card.`,
      objectiveOf({ type: exported.objective }).writes
        ? 'It opens in transformers without anything else; the model card says what llama.cpp does with it.'
        : 'It opens in transformers without anything else.',
    ].join(' '),
  refusal: ({ method }) => mergeRefusal(method),
  fileName: (own, exported) => `${fileName(own)}-${isModel(exported) ? 'model' : 'merged'}.zip`,
  writer: async () => (await import('./write-merged')).mergedWriter(dtype),
}));

/** Why an export that holds the whole model is not possible; null if it is. */
export function mergeRefusal(method: Exported['method']): string | null {
  const { merges, label } = methodOf(method);
  if (merges) return null;
  return `With ${label.toLowerCase()}, the model’s own weights do not change, so there is nothing to merge. Export the adapter.`;
}
