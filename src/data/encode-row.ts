/** One example -> ids. A row that is too long or too slow is that row's fault, not the model's. */

import { TabtuneError } from '../base/errors';
import { FAULTY_TEMPLATE } from './chat-template';
import type { EncodedExample, ObjectiveData, TextOptions } from './objective-data';
import { preferenceTexts } from './preference-parts';
import { RowRefused } from './row-refused';
import type { TextTokenizer } from './tokenizer';
import type { Example } from './types';

/** The largest max_length is 131,072 tokens, of about four letters each: nothing beyond this can be learned whole. */
const MOST_LETTERS = 2 ** 21;
/** Plain text is cut into pieces, and a row may be a book. */
const MOST_LETTERS_IN_PIECES = 2 ** 24;

/** Rows of this many letters are announced before they are encoded. */
export const LONG_ROW = 20_000;

/** The letters of an example, which say how long it takes. */
export function lettersOf(example: Example): number {
  switch (example.kind) {
    case 'messages':
      return example.messages.reduce((sum, { content, thoughts = '' }) => sum + content.length + thoughts.length, 0);
    case 'prompt_completion':
      return example.prompt.length + example.completion.length;
    case 'tagged':
      return example.tokens.reduce((sum, token) => sum + token.length + 1, 0);
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceTexts(example).reduce((sum, text) => sum + text.length, 0);
    default:
      return example.text.length;
  }
}

/** Throws RowRefused where only this row is at fault, and bad_model or bad_data as the objective does. */
export function encodeRow(
  example: Example,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
): EncodedExample {
  const letters = lettersOf(example);
  const most = objective.longTexts === 'split' ? MOST_LETTERS_IN_PIECES : MOST_LETTERS;
  if (letters > most) throw tooLong(letters, `more than the ${inMillions(most)} that a row may have`);
  try {
    return objective.encode(example, options, tokenizer);
  } catch (cause) {
    // The tokeniser's patterns and the template run out of stack on a text that is one endless word.
    if (cause instanceof RangeError) throw tooLong(letters, 'too many in one word for the tokeniser');
    if (cause instanceof TabtuneError && cause.where === FAULTY_TEMPLATE) {
      throw new RowRefused(
        'row_too_slow',
        `has ${letters} letters, and the model’s chat template was stopped at it: ${cause.details ?? cause.message}`,
        'Shorten or split it.',
      );
    }
    throw cause;
  }
}

const inMillions = (letters: number) => `${Math.floor(letters / 1e6)} million`;

function tooLong(letters: number, why: string): RowRefused {
  return new RowRefused('row_too_long', `has ${letters} letters, ${why}`, 'Split it into several rows.');
}
