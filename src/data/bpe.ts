/**
 * Byte-pair encoding of one word, as the Rust library does it: of all neighbours that may be joined, the pair with the
 * lowest rank first, and of equal ranks the leftmost. @huggingface/tokenizers gives the same tokens, but hashes the JSON
 * of every pair: Chinese and Thai, whose sentences are single words to most tokenisers, took a minute a megabyte.
 */

/** Symbols in a word up to which searching all pairs is faster than a heap. */
const FEW = 48;
/** More merges, or longer words, would not fit one number beside each other. */
const POSITIONS = 2 ** 26;

export class Merges {
  /** A number for every string that takes part in a merge. */
  private readonly symbols = new Map<string, number>();
  private readonly texts: string[] = [];
  /** By the left symbol: the right symbol -> rank. */
  private readonly ranks: (Map<number, number> | undefined)[] = [];
  /** By rank: the joined symbol. */
  private readonly joined: number[] = [];
  /** The two UTF-16 units at the place where any merge joins its halves: nothing ever crosses other places. */
  private readonly junctions = new Set<number>();

  constructor(merges: readonly (readonly string[])[]) {
    merges.forEach((merge, rank) => {
      const [left, right] = merge as [string, string];
      const from = this.symbolOf(left);
      let ranks = this.ranks[from];
      if (!ranks) this.ranks[from] = ranks = new Map();
      // Of merges that stand twice, the later one counts, as in a map that is filled in order.
      ranks.set(this.symbolOf(right), rank);
      this.joined[rank] = this.symbolOf(left + right);
      this.junctions.add(junction(left.charCodeAt(left.length - 1), right.charCodeAt(0)));
    });
  }

  /** The parts of a word between which no merge is possible; they can be encoded one by one. */
  partsOf(word: string): string[] {
    const parts: string[] = [];
    let start = 0;
    for (let i = 1; i < word.length; i++) {
      const [before, behind] = [word.charCodeAt(i - 1), word.charCodeAt(i)];
      if (this.junctions.has(junction(before, behind)) || isPair(before, behind)) continue;
      parts.push(word.slice(start, i));
      start = i;
    }
    parts.push(word.slice(start));
    return parts;
  }

  /** The tokens of a word that starts as these symbols, which are characters. */
  join(characters: readonly string[]): string[] {
    const ids = Int32Array.from(characters, (character) => this.symbols.get(character) ?? -1);
    const next = new Int32Array(ids.length);
    const previous = new Int32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      next[i] = i + 1 < ids.length ? i + 1 : -1;
      previous[i] = i - 1;
    }
    const chain = { ids, next, previous };
    if (ids.length <= FEW) this.joinFew(chain);
    else this.joinMany(chain);
    const tokens: string[] = [];
    // What is in no merge stays the character that it is.
    for (let i = 0; i !== -1; i = next[i]!) tokens.push(ids[i] === -1 ? characters[i]! : this.texts[ids[i]!]!);
    return tokens;
  }

  private joinFew(chain: Chain): void {
    const { ids, next } = chain;
    for (;;) {
      let best = -1;
      let lowest = Number.POSITIVE_INFINITY;
      for (let i = 0; next[i] !== -1; i = next[i]!) {
        const rank = this.rankOf(ids[i]!, ids[next[i]!]!);
        if (rank !== undefined && rank < lowest) {
          lowest = rank;
          best = i;
        }
      }
      if (best === -1) return;
      this.joinAt(chain, best, lowest);
    }
  }

  private joinMany(chain: Chain): void {
    const { ids, next, previous } = chain;
    const heap = new Heap();
    const offer = (i: number) => {
      if (i === -1 || next[i] === -1) return;
      const rank = this.rankOf(ids[i]!, ids[next[i]!]!);
      if (rank !== undefined) heap.push(rank * POSITIONS + i);
    };
    for (let i = 0; i < ids.length; i++) offer(i);
    while (heap.size > 0) {
      const lowest = heap.pop();
      const rank = Math.floor(lowest / POSITIONS);
      const i = lowest - rank * POSITIONS;
      // The pair may have changed since it was offered.
      if (ids[i] === GONE || next[i] === -1 || this.rankOf(ids[i]!, ids[next[i]!]!) !== rank) continue;
      this.joinAt(chain, i, rank);
      offer(i);
      offer(previous[i]!);
    }
  }

  private joinAt({ ids, next, previous }: Chain, i: number, rank: number): void {
    const right = next[i]!;
    ids[i] = this.joined[rank]!;
    ids[right] = GONE;
    next[i] = next[right]!;
    if (next[i] !== -1) previous[next[i]!] = i;
  }

  private rankOf(left: number, right: number): number | undefined {
    return left < 0 || right < 0 ? undefined : this.ranks[left]?.get(right);
  }

  private symbolOf(text: string): number {
    let symbol = this.symbols.get(text);
    if (symbol === undefined) {
      symbol = this.texts.length;
      this.texts.push(text);
      this.symbols.set(text, symbol);
    }
    return symbol;
  }
}

/** The symbols of a word, each linked to its neighbours; -1 stands for none, and for a symbol in no merge. */
interface Chain {
  ids: Int32Array;
  next: Int32Array;
  previous: Int32Array;
}

/** A symbol that was joined to the one before it. */
const GONE = -2;

const junction = (before: number, behind: number) => before * 0x10000 + behind;

/** The two halves of one character. */
const isPair = (before: number, behind: number) => (before & 0xfc00) === 0xd800 && (behind & 0xfc00) === 0xdc00;

/** A binary heap of numbers, the lowest first. */
class Heap {
  private readonly items: number[] = [];

  get size(): number {
    return this.items.length;
  }

  push(item: number): void {
    const { items } = this;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): number {
    const { items } = this;
    const top = items[0]!;
    const last = items.pop()!;
    const size = items.length;
    if (size === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
