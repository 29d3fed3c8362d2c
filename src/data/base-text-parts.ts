/** Divides base text, so that forgetting is never measured on text that was learned from. */

/** Pieces to measure: enough for a reliable loss, few enough to be quick. */
const MEASURED = 32;

/**
 * The first pieces, at most a quarter, are measured; the others are used for replay and EWC. A single piece is used for
 * both.
 */
export function partsOfBaseText<T>(pieces: readonly T[]): { measured: T[]; learned: T[] } {
  if (pieces.length < 2) return { measured: [...pieces], learned: [...pieces] };
  const measured = Math.min(MEASURED, Math.ceil(pieces.length / 4));
  return { measured: pieces.slice(0, measured), learned: pieces.slice(measured) };
}
