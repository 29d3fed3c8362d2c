/** Where a tensor stands between the head and the embeddings. */
import type { LanguageModel } from '../models/model';

/**
 * How far below the top a tensor is: 0 for the head, what follows the last block and an output projection of its own, 1 for
 * the last block, and so on; the embeddings go with the first block.
 */
export function depthOf(model: Pick<LanguageModel, 'blockPaths' | 'tensors'>): (name: string) => number {
  const blocks = model.blockPaths;
  const inBlock = (name: string) => blocks.findIndex((path) => name.startsWith(`${path}.`));
  // In the order of the forward pass, what comes before the first block is the embeddings.
  const first = model.tensors.findIndex(({ name }) => inBlock(name) === 0);
  const before = new Set(model.tensors.slice(0, first).map(({ name }) => name));
  return (name) => {
    const block = inBlock(name);
    if (block >= 0) return blocks.length - block;
    return before.has(name) ? blocks.length : 0;
  };
}
