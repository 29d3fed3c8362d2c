/** Metadata to be written, by key. */
import type { GgufEntry } from '../../formats/gguf-write';

export type GgufPairs = [key: string, entry: GgufEntry][];

export const string = (value: string): GgufEntry => ({ type: 'string', value });
export const uint32 = (value: number): GgufEntry => ({ type: 'uint32', value });
export const float32 = (value: number): GgufEntry => ({ type: 'float32', value });
export const bool = (value: boolean): GgufEntry => ({ type: 'bool', value });
export const strings = (value: readonly string[]): GgufEntry => ({ type: 'strings', value });
