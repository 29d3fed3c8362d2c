import { TabtuneError } from './errors';

/** Throws `bad_model`, saying what is wrong, in which file (and field or tensor), and what to do. */
export function refuse(where: string, message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_model', message, where, action, details });
}

export const COMPLETE_FOLDER = 'Download the whole model folder again and drop all of it.';
export const OTHER_MODEL = 'Choose another model.';

/** An untrusted value, shortened for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
