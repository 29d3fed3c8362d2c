/** One example for the screen: its text as the model reads it, and every token with whether it is learned or cut. */
import type { Encoded } from './encode';
import type { TextTokenizer } from './tokenizer';
import type { TokenView } from './types';

export function viewEncoded(
  rendered: string,
  encoded: Encoded,
  tokenizer: TextTokenizer,
  maxLength: number,
): TokenView {
  const tokens = Array.from(encoded.ids, (id, i) => ({
    id,
    text: tokenizer.showToken(id),
    // The first token is predicted by nothing, so that no loss is taken of it whatever its label.
    trained: i > 0 && i < maxLength && encoded.trained[i] === 1,
    cut: i >= maxLength,
  }));
  return { row: encoded.row, rendered, tokens };
}
