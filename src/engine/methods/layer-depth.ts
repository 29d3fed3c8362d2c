/** A tensor's depth between the head and the embeddings. */
import type { LanguageModel } from '../models/model';

/**
 * Depth of a tensor below the top: 0 for the head, for everything after the last block and for an untied output projection, 1 for
 * the last block, and so on. The embeddings count as part of the first block.
 */
export function depthOf(model: Pick<LanguageModel, 'blockPaths' | 'tensors'>): (name: string) => number {
  const blocks = model.blockPaths;
  const inBlock = (name: string) => blocks.findIndex((path) => name.startsWith(`${path}.`));
  // Tensors are in the order of the forward pass, so everything before the first block belongs to the embeddings.
  const first = model.tensors.findIndex(({ name }) => inBlock(name) === 0);
  const before = new Set(model.tensors.slice(0, first).map(({ name }) => name));
  return (name) => {
    const block = inBlock(name);
    if (block >= 0) return blocks.length - block;
    return before.has(name) ? blocks.length : 0;
  };
}
