/** The ways to export a run, one entry each: the Compare page, the commands, the headless runner and file names use this list. */
import { leavesModel, type MethodType, methodOf } from '../methods';
import { type ObjectiveType, objectiveOf } from '../objectives';
import { adapterPython, type Exported } from './python';

/** What an export needs to know about the training. */
export interface Trained {
  method: MethodType;
  objective: ObjectiveType;
}

export interface Export {
  /** Also the name of the folder that the headless runner writes. */
  id: 'adapter' | 'model';
  /** Label of the button. */
  label(trained: Trained): string;
  /** What the export contains, and which programs read it; one sentence each, with bold and code marked. */
  contents(trained: Trained): string;
  readBy(trained: Trained): string;
  /** Null if this export is possible; otherwise one sentence saying why not. */
  refusal(trained: Trained): string | null;
  /** `pirate-chat-lora.zip` */
  fileName(name: string, trained: Trained): string;
}

const fileName = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'tabtune';

const isModel = ({ method }: Trained) => leavesModel(methodOf({ type: method }));

const adapterExport: Export = {
  id: 'adapter',
  label: () => 'Export adapter',
  contents: ({ method }) =>
    methodOf({ type: method }).files?.id === 'adapterhub'
      ? '**An AdapterHub adapter** in one zip: its weights, `adapter_config.json` and a model card.'
      : '**A PEFT adapter** in one zip: `adapter_model.safetensors`, `adapter_config.json` and a model card.',
  readBy: ({ method }) => methodOf({ type: method }).files?.readBy ?? '',
  refusal: (trained) =>
    isModel(trained) ? 'This method trains the model itself, so there is no separate adapter. Export the model.' : null,
  fileName(name, { method }) {
    const clean = fileName(name);
    const kind = method.replace('_tuning', '');
    return clean.toLowerCase().endsWith(kind) ? `${clean}.zip` : `${clean}-${kind}.zip`;
  },
};

const modelExport: Export = {
  id: 'model',
  label: (trained) => (isModel(trained) ? 'Export model' : 'Export merged model'),
  contents: (trained) =>
    `**${isModel(trained) ? 'The model' : 'The merged model'}** as a complete Hugging Face folder in one zip: \`model.safetensors\`, config, tokenizer and a model card.`,
  readBy: ({ objective }) =>
    objectiveOf({ type: objective }).writes
      ? 'It opens in transformers without anything else; the model card says what llama.cpp does with it.'
      : 'It opens in transformers without anything else.',
  refusal({ method }) {
    const { merges, label } = methodOf({ type: method });
    if (merges) return null;
    return `With ${label.toLowerCase()}, the model’s own weights do not change, so there is nothing to merge. Export the adapter.`;
  },
  fileName: (name, trained) => `${fileName(name)}-${isModel(trained) ? 'model' : 'merged'}.zip`,
};

export const exports: readonly Export[] = [adapterExport, modelExport];

export const exportBy = (id: Export['id']): Export => exports.find((one) => one.id === id)!;

/** The exports that are possible. */
export const exportsOf = (trained: Trained): Export[] => exports.filter((one) => one.refusal(trained) === null);

/** `pirate-chat.recipe.json` */
export const recipeFileName = (name: string): string => `${fileName(name)}.recipe.json`;

/** Python code that loads an adapter's folder, as the screen shows it: the base's place and the labels are not known there. */
export const loadingCode = (exported: Exported, folder: string): string =>
  adapterPython(exported, { base: 'path/to/base', folder, remark: 'the unpacked zip' });
