/** What mlx-lm computes otherwise than transformers. */

/** mlx-lm reads a sliding window for few families, and none of those here but Gemma 3; null if no text is longer than one. */
export function noWindow(widths: readonly (number | null)[], context: number): string | null {
  const width = widths.find((one) => one !== null && one < context);
  return width == null
    ? null
    : `mlx-lm gives these models no sliding window, so it differs once a text is longer than ${width} tokens.`;
}
