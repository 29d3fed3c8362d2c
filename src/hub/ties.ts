/**
 * Tied tensors of a file, as transformers 5 reads them (modeling_utils.py, tie_weights). config.json may tie the output projection
 * to the embedding while the file holds both. If they are equal, the second is a copy, and is left out from here on: training
 * would make it stale. If they differ, they are not tied, whatever config.json says: the model uses both as stored. Merging with
 * older versions of PEFT leaves such files behind.
 */
import { tiesOf } from '../families';
import { dequantize } from '../formats/ggml';
import { apart } from './apart';
import type { CheckedModel } from './check';
import { type ModelWeights, openWeights } from './weights';

/** Bytes of each tensor that are compared at a time. */
const PIECE_BYTES = 16 * 2 ** 20;

/** Reads both tensors of every pair that the file holds twice; no other file takes time. */
export async function settleTies(checked: CheckedModel): Promise<CheckedModel> {
  const { family, config, tensors } = checked;
  const ties = tiesOf(family, config);
  if (ties.length === 0) return withSharedBias(checked);
  const twice = ties.filter(({ name, of }) => tensors.has(name) && tensors.has(of));
  if (twice.length === 0) return checked;
  // transformers' classes with a classification head have no output projection.
  if (!checked.head) {
    const weights = openWeights(checked);
    for (const { name, of } of twice) if (!(await equal(weights, name, of))) return apart(checked);
  }
  const copies = new Set(twice.map(({ name }) => name));
  return { ...checked, tensors: new Map([...tensors].filter(([name]) => !copies.has(name))) };
}

/** Older versions of transformers shared the bias of an encoder's head with its projection, tied or not, and saved it once. */
function withSharedBias(checked: CheckedModel): CheckedModel {
  const { family, config, tensors } = checked;
  const shared = family.tensors(config).filter(({ name, shape, tiedTo }) => {
    return shape.length === 1 && tiedTo !== undefined && !tensors.has(name) && tensors.has(tiedTo);
  });
  if (shared.length === 0) return checked;
  const added = shared.map(({ name, tiedTo }) => [name, tensors.get(tiedTo!)!] as const);
  return { ...checked, tensors: new Map([...tensors, ...added]) };
}

async function equal(weights: ModelWeights, name: string, other: string): Promise<boolean> {
  const [a, b] = [weights.info(name)!, weights.info(other)!];
  const rows = a.shape[0] ?? 1;
  const columns = a.shape.slice(1).reduce((product, n) => product * n, 1);
  const step = Math.max(1, Math.floor(PIECE_BYTES / (4 * columns)));
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    const pieces = await Promise.all([weights.read(name, from, to), weights.read(other, from, to)]);
    if (a.dtype === b.dtype && sameBytes(...pieces)) continue;
    // −0 equals 0, and one may be stored in another precision.
    const [u, v] = [dequantize(a.dtype, new Uint8Array(pieces[0])), dequantize(b.dtype, new Uint8Array(pieces[1]))];
    if (!u.every((value, i) => value === v[i])) return false;
  }
  return true;
}

/** Compares four bytes at a time: a vocabulary has hundreds of millions. */
function sameBytes(a: ArrayBuffer, b: ArrayBuffer): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const whole = Math.floor(a.byteLength / 4);
  const [x, y] = [new Int32Array(a, 0, whole), new Int32Array(b, 0, whole)];
  for (let i = 0; i < whole; i++) if (x[i] !== y[i]) return false;
  const [u, v] = [new Uint8Array(a, 4 * whole), new Uint8Array(b, 4 * whole)];
  return u.every((byte, i) => byte === v[i]);
}
