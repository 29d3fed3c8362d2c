import { TabtuneError } from './errors';

/** Throws `bad_model`, saying what is wrong, in which file (and field or tensor), and what to do. */
export function refuse(where: string, message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_model', message, where, action, details });
}

export const COMPLETE_FOLDER = 'Download the whole model folder again and drop all of it.';
export const OTHER_MODEL = 'Choose another model.';
export const OTHER_FOLDER = 'Choose another model, or its folder in the Hugging Face layout.';
export const FRESH_COPY = 'Get a fresh copy of the file: this one is damaged or incomplete.';
export const CONVERT_AGAIN = 'Convert the model again with a current version of llama.cpp, or download a newer file.';

/** An untrusted value, shortened for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
