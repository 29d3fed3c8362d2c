/** Files of architectures that must have an output projection hold a tied embedding twice. */
import type { GgufFamily } from '../../families/gguf/family';
import type { GgufFile } from '../../formats/gguf';

const PIECE_BYTES = 4 * 2 ** 20;
const OUTPUT = 'output.weight';

/** Whether the output projection is a copy of the embedding. Where it is none, the first bytes show it. */
export async function outputIsCopy(
  { tensors }: Pick<GgufFile, 'tensors'>,
  { tensors: { outputFrom } }: Pick<GgufFamily, 'tensors'>,
  read: (start: number, end: number) => Promise<ArrayBuffer>,
): Promise<boolean> {
  const [output, embedding] = [tensors.get(OUTPUT), tensors.get('token_embd.weight')];
  if (outputFrom !== 'own' || !output || !embedding || output.type !== embedding.type) return false;
  const size = output.end - output.start;
  if (embedding.end - embedding.start !== size) return false;
  for (let at = 0; at < size; at += PIECE_BYTES) {
    const until = Math.min(size, at + PIECE_BYTES);
    const [a, b] = await Promise.all([
      read(output.start + at, output.start + until),
      read(embedding.start + at, embedding.start + until),
    ]);
    if (!same(new Uint8Array(a), new Uint8Array(b))) return false;
  }
  return true;
}

const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
