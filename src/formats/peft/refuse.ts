/** Errors about adapters that cannot be read. */
import { TabtuneError } from '../../base/errors';

export function refuse(where: string, message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_adapter', message, where, action, details });
}

export const EXPORT_AGAIN = 'Save the adapter again with PEFT (save_pretrained) and drop the whole folder.';
export const OTHER_KINDS = 'Train a new adapter instead, or merge this one into its model with PEFT.';
