/** Names of tensors in GGUF files and in Hugging Face's checkpoints, each from the other, with what else differs. */
import type { GgufTensors } from './family';
import type { RowOrder } from './rows';

/** How a tensor's values are stored in GGUF, compared with Hugging Face. */
interface Stored {
  /** How rows are reordered; null if they are not. */
  rows: RowOrder | null;
  /** Stored [out, in], where Hugging Face stores [in, out]. */
  transposed: boolean;
  /** Stored as 1 + weight. */
  plusOne: boolean;
}

export interface RenamedTensor extends Stored {
  name: string;
}

/** Tables of frequencies, which become fields of the config. */
export const isRopeTable = (name: string): boolean =>
  /^(blk\.\d+\.)?rope_(freqs|factors_long|factors_short)\.weight$/.test(name);

const storedAs = (family: GgufTensors, module: string, kind: string): Stored => ({
  rows: family.rows?.[module] ?? null,
  transposed: kind === 'weight' && family.transposed?.includes(module) === true,
  plusOne: family.plusOne === true && module.endsWith('norm'),
});

/** GGUF's name to Hugging Face's; null for a tensor that the family does not have. */
export function hfTensor(family: GgufTensors, ggufName: string): RenamedTensor | null {
  const parts = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(ggufName);
  if (!parts) return null;
  const [, block, module, kind] = parts as unknown as [string, string | undefined, string, string];
  const table = block === undefined ? family.outer : family.inner;
  if (!Object.hasOwn(table, module)) return null;
  const path = block === undefined ? table[module] : `${family.block}.${block}.${table[module]}`;
  return { name: `${path}.${kind}`, ...storedAs(family, module, kind) };
}

/** Hugging Face's name, as the checkpoint has it, to GGUF's; null for a tensor that llama.cpp's architecture does not have. */
export function ggufTensor(family: GgufTensors, hfName: string): RenamedTensor | null {
  const parts = /^(.+)\.(weight|bias)$/.exec(hfName);
  if (!parts) return null;
  const [, path, kind] = parts as unknown as [string, string, string];
  const inside = path.startsWith(`${family.block}.`) ? /^(\d+)\.(.+)$/.exec(path.slice(family.block.length + 1)) : null;
  const [table, wanted] = inside ? [family.inner, inside[2]!] : [family.outer, path];
  const module = Object.keys(table).find((name) => table[name] === wanted);
  if (module === undefined) return null;
  const name = inside ? `blk.${inside[1]}.${module}.${kind}` : `${module}.${kind}`;
  return { name, ...storedAs(family, module, kind) };
}
