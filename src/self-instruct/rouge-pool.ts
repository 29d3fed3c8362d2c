/**
 * ROUGE-L of a text against thousands of others. Which words two texts share limits how long their common subsequence can be,
 * and an index of words finds that without looking at texts that share none; only the few that could be among the nearest
 * are compared in full. The scores are those of metrics/text.ts.
 */
import { commonLength, overlapOf, rougeWords } from '../metrics';
import type { Nearest } from './types';

/** As many as the paper keeps with each instruction. */
const NEAREST = 10;

interface Entry {
  text: string;
  words: Int32Array;
}

export class RougePool {
  private readonly ids = new Map<string, number>();
  private readonly entries: Entry[] = [];
  /** Word -> [entry, how often it is there, …]. */
  private readonly found: number[][] = [];

  constructor(texts: Iterable<string> = []) {
    for (const text of texts) this.add(text);
  }

  get size(): number {
    return this.entries.length;
  }

  add(text: string): void {
    const words = Int32Array.from(rougeWords(text), (word) => {
      let id = this.ids.get(word);
      if (id === undefined) {
        id = this.found.length;
        this.ids.set(word, id);
        this.found.push([]);
      }
      return id;
    });
    const index = this.entries.push({ text, words }) - 1;
    for (const [word, times] of counted(words)) this.found[word]!.push(index, times);
  }

  /** The most similar texts, most similar first; those that share no word are left out. */
  nearest(text: string, most = NEAREST): Nearest[] {
    // A word that nobody has matches nothing, itself included.
    const words = Int32Array.from(rougeWords(text), (word) => this.ids.get(word) ?? -1);
    const shared = new Map<number, number>();
    for (const [word, times] of counted(words)) {
      const found = word < 0 ? [] : this.found[word]!;
      for (let i = 0; i < found.length; i += 2) {
        const entry = found[i]!;
        shared.set(entry, (shared.get(entry) ?? 0) + Math.min(times, found[i + 1]!));
      }
    }
    // As the paper's code calls rouge_score: the new text is the target.
    const scored = (entry: number, common: number) =>
      overlapOf(common, this.entries[entry]!.words.length, words.length).f1;
    const candidates = [...shared].map(([entry, common]) => ({ entry, bound: scored(entry, common) }));
    candidates.sort((a, b) => b.bound - a.bound || a.entry - b.entry);
    const best: { entry: number; score: number }[] = [];
    for (const { entry, bound } of candidates) {
      if (best.length >= most && bound < best[most - 1]!.score) break;
      const score = scored(entry, commonLength(words, this.entries[entry]!.words));
      best.push({ entry, score });
      best.sort((a, b) => b.score - a.score || a.entry - b.entry);
      best.length = Math.min(best.length, most);
    }
    return best.map(({ entry, score }) => ({ instruction: this.entries[entry]!.text, score }));
  }
}

function counted(words: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
