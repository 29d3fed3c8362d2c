/** GGUF's tensors in Hugging Face's terms. */
import type { GgufTensors } from '../../families/gguf';
import type { RowOrder } from '../../families/gguf-rows';

export interface HfTensor {
  name: string;
  /** How rows were reordered; null if they were not. */
  rows: RowOrder | null;
  /** Stored [out, in], where Hugging Face stores [in, out]. */
  transposed: boolean;
  /** Stored as 1 + weight. */
  plusOne: boolean;
}

/** Tables of frequencies, which become fields of the config. */
export const isRopeTable = (name: string): boolean =>
  /^(blk\.\d+\.)?rope_(freqs|factors_long|factors_short)\.weight$/.test(name);

/** A tensor the family does not have keeps its name, and is refused because of it. */
export function hfTensor(family: GgufTensors, ggufName: string): HfTensor {
  const unknown: HfTensor = { name: ggufName, rows: null, transposed: false, plusOne: false };
  const parts = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(ggufName);
  if (!parts) return unknown;
  const [, block, module, kind] = parts as unknown as [string, string | undefined, string, string];
  const table = block === undefined ? family.outer : family.inner;
  if (!Object.hasOwn(table, module)) return unknown;
  const path = block === undefined ? table[module] : `${family.block}.${block}.${table[module]}`;
  return {
    name: `${path}.${kind}`,
    rows: family.rows?.[module] ?? null,
    transposed: kind === 'weight' && family.transposed?.includes(module) === true,
    plusOne: family.plusOne === true && module.endsWith('norm'),
  };
}
