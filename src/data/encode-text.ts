/** A text as it is -> ids. */
import { checkIds, type Encoded } from './loss-mask';
import type { TextTokenizer } from './tokenizer';

/** With the special tokens that the tokeniser puts around a text; nothing is trained on. Throws bad_model. */
export function encodeAround(
  row: number,
  text: string,
  tokenizer: TextTokenizer,
): Encoded & { before: number; behind: number } {
  const { before, behind } = tokenizer.around;
  const { ids } = tokenizer.encodeOnce(text, true);
  checkIds(ids, tokenizer);
  const trained = new Uint8Array(ids.length);
  return { row, ids: Int32Array.from(ids), trained, before: before.length, behind: behind.length };
}
