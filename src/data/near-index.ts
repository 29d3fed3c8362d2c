/**
 * Finds sets that are nearly equal among many: MinHash (Broder, 1997) in bands (Indyk and Motwani, 1998) proposes pairs, and
 * only those whose Jaccard similarity, computed exactly, reaches the threshold are reported. 20 bands of 5 rows miss a pair of
 * similarity 0.8 in 0.04 % of cases, and propose one of 0.3 in 5 %.
 */
import { jaccard, mix } from './shingles';

const BANDS = 20;
const ROWS = 5;
const HASHES = BANDS * ROWS;
/** Texts from one template are proposed to each other by the thousand. */
const MOST_COMPARED = 256;

const MULTIPLIERS = Uint32Array.from({ length: HASHES }, (_, i) => mix(0x9e3779b9 + i) | 1);
const OFFSETS = Uint32Array.from({ length: HASHES }, (_, i) => mix(0x85ebca6b + i));

/** From here on, texts are nearly equal: the usual threshold for training data (Lee et al., 2022). */
export const NEAR = 0.8;

export class NearIndex {
  /** Newest entry of each bucket, bands after each other; entries are chained by `next`. */
  private readonly heads: Int32Array;
  private readonly next: Int32Array;
  private readonly bands: Uint32Array;
  private readonly compared: Int32Array;
  private readonly mask: number;
  private readonly sets: (Uint32Array | undefined)[];
  private readonly smallest = new Uint32Array(HASHES);
  private rounds = 0;

  constructor(
    count: number,
    private readonly threshold = NEAR,
  ) {
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(16, count)));
    this.mask = buckets - 1;
    this.heads = new Int32Array(BANDS * buckets).fill(-1);
    this.next = new Int32Array(BANDS * count);
    this.bands = new Uint32Array(BANDS * count);
    this.compared = new Int32Array(count);
    this.sets = new Array(count);
  }

  /** Entries that were added and are near to `set`, in the order of their buckets. `visit` ends it with false. */
  near(set: Uint32Array, visit: (id: number, similarity: number) => boolean): void {
    if (set.length === 0) return;
    const hashes = this.bandsOf(set);
    const round = ++this.rounds;
    let left = MOST_COMPARED;
    for (let band = 0; band < BANDS; band++) {
      const hash = hashes[band]!;
      for (let id = this.heads[this.bucket(band, hash)]!; id !== -1; id = this.next[id * BANDS + band]!) {
        if (this.compared[id] === round || this.bands[id * BANDS + band] !== hash) continue;
        this.compared[id] = round;
        if (left-- === 0) return;
        const other = this.sets[id]!;
        if (Math.min(other.length, set.length) < this.threshold * Math.max(other.length, set.length)) continue;
        const similarity = jaccard(set, other);
        if (similarity >= this.threshold && !visit(id, similarity)) return;
      }
    }
  }

  add(id: number, set: Uint32Array): void {
    if (set.length === 0) return;
    const hashes = this.bandsOf(set);
    this.sets[id] = set;
    for (let band = 0; band < BANDS; band++) {
      const at = this.bucket(band, hashes[band]!);
      this.bands[id * BANDS + band] = hashes[band]!;
      this.next[id * BANDS + band] = this.heads[at]!;
      this.heads[at] = id;
    }
  }

  private bucket(band: number, hash: number): number {
    return band * (this.mask + 1) + (hash & this.mask);
  }

  private last: { set: Uint32Array; bands: Uint32Array } | null = null;

  private bandsOf(set: Uint32Array): Uint32Array {
    if (this.last?.set === set) return this.last.bands;
    const { smallest } = this;
    smallest.fill(0xffffffff);
    for (const shingle of set) {
      for (let h = 0; h < HASHES; h++) {
        // The high bits of a product depend on all bits of its factors; the shingles are mixed already.
        const value = (Math.imul(shingle ^ OFFSETS[h]!, MULTIPLIERS[h]!) ^ (shingle >>> 15)) >>> 0;
        if (value < smallest[h]!) smallest[h] = value;
      }
    }
    const bands = new Uint32Array(BANDS);
    for (let band = 0; band < BANDS; band++) {
      let hash = band;
      for (let row = 0; row < ROWS; row++) hash = mix(Math.imul(hash, 31) ^ smallest[band * ROWS + row]!);
      bands[band] = hash;
    }
    this.last = { set, bands };
    return bands;
  }
}
