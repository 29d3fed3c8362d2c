/**
 * Many examples on their way between threads. A message is copied in one go on either side, and the page must not stand
 * still for that: hundreds of thousands of examples go in pieces, the last of them with the message that they belong to.
 */
import type { TokenizedDataset, TokenizedExample } from './types';

export type Part = 'train' | 'validation';
type Parts = Pick<TokenizedDataset, Part>;

/** Copied in a few milliseconds on a slow machine. */
const PIECE = { examples: 500, tokens: 250_000 };

/** What goes ahead in pieces, and what is left for the message itself. */
export function split<T extends Parts>(whole: T): { ahead: { part: Part; examples: TokenizedExample[] }[]; rest: T } {
  const ahead: { part: Part; examples: TokenizedExample[] }[] = [];
  const rest = { ...whole };
  for (const part of ['train', 'validation'] as const) {
    const pieces = piecesOf(whole[part]);
    rest[part] = pieces.pop() ?? [];
    for (const examples of pieces) ahead.push({ part, examples });
  }
  return { ahead, rest };
}

function piecesOf(examples: TokenizedExample[]): TokenizedExample[][] {
  const pieces: TokenizedExample[][] = [];
  let start = 0;
  let tokens = 0;
  for (let i = 0; i < examples.length; i++) {
    tokens += examples[i]!.ids.length;
    if (i + 1 - start < PIECE.examples && tokens < PIECE.tokens) continue;
    pieces.push(examples.slice(start, i + 1));
    start = i + 1;
    tokens = 0;
  }
  if (start < examples.length) pieces.push(examples.slice(start));
  return pieces;
}

/** Puts the pieces of one message together again. */
export class Pieces {
  private parts: Parts = { train: [], validation: [] };

  add(part: Part, examples: TokenizedExample[]): void {
    for (const example of examples) this.parts[part].push(example);
  }

  /** The whole, once its message is here. */
  join<T extends Parts>(rest: T): T {
    const { train, validation } = this.parts;
    this.parts = { train: [], validation: [] };
    if (train.length === 0 && validation.length === 0) return rest;
    return { ...rest, train: train.concat(rest.train), validation: validation.concat(rest.validation) };
  }
}
