/**
 * Classifiers and reward models that read a text at its last token find it in transformers as the last one that is not the padding
 * token. If the end token is the padding too, as in GPT-2's tokeniser, the end of a text is therefore not read.
 */
export function withoutPadding(ids: Int32Array, padTokenId: number): Int32Array {
  let length = ids.length;
  while (length > 0 && ids[length - 1] === padTokenId) length--;
  return length === ids.length ? ids : ids.slice(0, length);
}
