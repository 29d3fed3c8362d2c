/**
 * Headers of weight files come from strangers and may have many megabytes, whose parsing would freeze the page. The page says
 * once who parses large ones (a worker); in a worker, and in tests, they are parsed where they are.
 */

/** A few thousand tensors; parsing them takes milliseconds. */
export const LARGE_HEADER_BYTES = 256 * 1024;

export type HeaderKind = 'safetensors' | 'gguf';
/** `args` are what the parser takes besides the bytes. Rejects with what the parser throws. */
export type ParseElsewhere = (kind: HeaderKind, bytes: Uint8Array, args: unknown[]) => Promise<unknown>;

let elsewhere: ParseElsewhere | null = null;

/** Null: parse them here. */
export function parseLargeHeaders(by: ParseElsewhere | null): void {
  elsewhere = by;
}

/** What the parser returns: of a large header from elsewhere, of a small one from `here`. */
export async function parseHeader<T>(kind: HeaderKind, bytes: Uint8Array, args: unknown[], here: () => T): Promise<T> {
  if (!elsewhere || bytes.length < LARGE_HEADER_BYTES) return here();
  return (await elsewhere(kind, bytes, args)) as T;
}
