/** Pieces of base text, and what each is for: what is learned from them is never what forgetting is measured on. */

/** Pieces that are measured: enough for a figure, few enough to wait for. */
const MEASURED = 32;

/**
 * The first pieces, a quarter of them at most, are measured, and the others replayed and weighed for EWC. A single piece has
 * to do for both.
 */
export function partsOfBaseText<T>(pieces: readonly T[]): { measured: T[]; learned: T[] } {
  if (pieces.length < 2) return { measured: [...pieces], learned: [...pieces] };
  const measured = Math.min(MEASURED, Math.ceil(pieces.length / 4));
  return { measured: pieces.slice(0, measured), learned: pieces.slice(measured) };
}
