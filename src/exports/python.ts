/**
 * Python that opens what was exported and asks it something once. All that Tabtune shows, on the screen and in model cards, is
 * made here, from pieces that methods and objectives describe; `npm run test:interop -- snippets` runs every variant of it.
 */
import { familyNamed } from '../families';
import { type MethodType, methodOf } from '../methods';
import { defaultObjective, type ObjectiveType, objectiveOf } from '../objectives';

/** A Python string literal. JSON's escapes are valid in Python too. */
export const python = (text: string): string => JSON.stringify(text);

/** What decides the code besides names. */
export interface Exported {
  method: MethodType;
  objective: ObjectiveType;
  /** The base's model_type; null while no model is open. */
  family: string | null;
}

/** Decoders find the end of a text by its padding, and not all have a token for it. */
const padsTexts = ({ objective, family }: Omit<Exported, 'method'>) =>
  objectiveOf({ type: objective }).labels === 'texts' && (family === null || familyNamed(family).kind === 'decoder');

/** How the tokenizer is loaded from a folder (a Python expression). */
const tokenizerOf = (folder: string, { objective, family }: Omit<Exported, 'method'>) => {
  const words =
    objectiveOf({ type: objective }).labels === 'words' && family !== null && familyNamed(family).prefixesWords;
  return `tokenizer = AutoTokenizer.from_pretrained(${folder}${words ? ', add_prefix_space=True' : ''})`;
};

const PADDING = 'tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token';

export interface AdapterNames {
  base: string;
  /** Of the unpacked adapter. */
  folder: string;
  /** What the folder is, for the reader of the code. */
  remark: string;
  /** Left out: read from the folder. */
  labels?: readonly string[];
}

/** Loads an adapter's folder on its base model and runs it once. Empty if the method leaves no adapter. */
export function adapterPython(exported: Exported, { base, folder, remark, labels }: AdapterNames): string {
  const { files } = methodOf({ type: exported.method });
  if (!files) return '';
  const { autoClass, python: asked, labels: labelled } = objectiveOf({ type: exported.objective });
  const loading = files.python(exported.family);
  const read = labelled !== null && labels === undefined;
  const pads = padsTexts(exported);
  return [
    ...new Set([...(read ? ['import json'] : []), ...loading.imports]),
    `from transformers import ${autoClass}, AutoTokenizer`,
    '',
    `base = ${python(base)}`,
    `adapter = ${python(folder)}  # ${remark}`,
    ...(labelled && labels ? [`labels = [${labels.map(python).join(', ')}]`] : []),
    ...(read
      ? ['labels = list(json.load(open(f"{adapter}/labels.json", encoding="utf-8"))["id2label"].values())']
      : []),
    '',
    tokenizerOf('base', exported),
    ...(pads ? [PADDING] : []),
    `model = ${autoClass}.from_pretrained(base${labelled ? ', num_labels=len(labels), id2label=dict(enumerate(labels))' : ''})`,
    ...(pads ? ['model.config.pad_token_id = tokenizer.pad_token_id'] : []),
    ...loading.load('adapter'),
    '',
    asked,
  ].join('\n');
}

/** Loads a model's folder and runs it once; `objective` is null for a model that was only converted. */
export function modelPython(objective: ObjectiveType | null, family: string | null, folder: string): string {
  const type = objective ?? defaultObjective;
  const { autoClass, python: asked } = objectiveOf({ type });
  return [
    `from transformers import ${autoClass}, AutoTokenizer`,
    '',
    `folder = ${python(folder)}  # the folder of this file`,
    tokenizerOf('folder', { objective: type, family }),
    `model = ${autoClass}.from_pretrained(folder)`,
    '',
    asked,
  ].join('\n');
}
