/** A model's tokeniser and chat template are its own code: what is said when they do not end, or fail. */
import { type ErrorData, TabtuneError } from '../base/errors';
import type { TokenizerSource } from '../data/tokenizer-files';

export interface Tokenizer {
  files: TokenizerSource;
  /** The model's title, for messages. */
  title: string;
}

/** The error for a model's own code that runs past its deadline. */
export function faulty({ title }: Tokenizer, message: string, where?: string): Omit<ErrorData, 'code'> {
  return {
    message,
    where,
    action: `Shorten or split what is very long. If it is short, the chat template or tokeniser of ${title} is faulty: choose another model.`,
  };
}

export const preparing = (tokenizer: Tokenizer) =>
  faulty(tokenizer, 'Preparing the prompt took too long and was stopped.');

/** Adds the model's name to errors, because the worker knows only its files. */
export function naming({ title }: Tokenizer, cause: unknown): unknown {
  if (!(cause instanceof TabtuneError) || cause.code !== 'bad_model') return cause;
  const { where } = cause;
  return new TabtuneError({ ...cause.toData(), where: where === undefined ? title : `${title}, ${where}` });
}
