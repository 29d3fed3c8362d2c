/** The adapter in the folder of its own ecosystem, PEFT's or AdapterHub's. */
import { leavesModel, methodOf } from '../methods';
import type { Export } from './export';
import { fileName } from './names';
import { vllmHint } from './readers';

export const adapterExport: Export<'peft'> = {
  id: 'peft',
  group: 'adapter',
  label: ({ method }) => (methodOf(method).files?.id === 'adapterhub' ? 'AdapterHub adapter' : 'PEFT adapter'),
  action: () => 'Export adapter',
  forWhom: 'transformers, PEFT, vLLM, AdapterHub',
  contents: ({ method, objective, family }) => {
    const { files } = methodOf(method);
    const what =
      files?.id === 'adapterhub'
        ? '**An AdapterHub adapter** in one zip: its weights, `adapter_config.json` and a model card.'
        : '**A PEFT adapter** in one zip: `adapter_model.safetensors`, `adapter_config.json` and a model card.';
    const served = family === null ? '' : vllmHint({ method, objective, family });
    return [what, files?.readBy ?? '', served].filter((line) => line !== '').join(' ');
  },
  refusal: ({ method }) =>
    leavesModel(methodOf(method))
      ? 'This method trains the model itself, so there is no separate adapter. Export the model.'
      : null,
  fileName(name, { method }) {
    const clean = fileName(name);
    const kind = method.type.replace('_tuning', '');
    // `pirate-chat-LoRA-r16` says it already.
    const said = clean
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .includes(kind);
    return said ? `${clean}.zip` : `${clean}-${kind}.zip`;
  },
  writer: async () => (await import('./write-adapter')).writeAdapter,
};
