/** Seeded draws for the fuzzer: the same seed makes the same inputs on every machine. */
import { Stream, uniform } from '../../src/base/random';

export class Draw {
  private count = 0;

  constructor(
    private readonly seed: number,
    /** Keeps the inputs of one case apart from those of the others. */
    private readonly sub: number,
  ) {}

  /** In [0, 1). */
  next(): number {
    return uniform(this.seed, Stream.sampling, this.count++, this.sub);
  }

  /** In [0, n). */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }
}
