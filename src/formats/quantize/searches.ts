/**
 * The searches for a group's scale, as ggml's reference quantisers make them, for four groups at a time. Every operation rounds to
 * float32 where ggml's does, and sums run in its order, so the bytes that follow are the same.
 */
import {
  assemble,
  type Code,
  ifAny,
  type Local,
  load,
  loadOne,
  loop,
  nearest,
  routine,
  store,
  v,
  ZERO,
} from './assembler';

/** Groups side by side. */
export const LANES = 4;
const VECTOR = 16;

// In bytes; arrays of 32 vectors at most.
const X = 0;
const ABOVE_MIN = 512;
const WEIGHTS = 1024;
const WEIGHTED = ABOVE_MIN;
const TRIED = 1536;
const LEVELS = 2048;
const SCALES = 2560;
const MINIMA = SCALES + VECTOR;
const CANDIDATES = MINIMA + VECTOR;

const TENTH = Math.fround(0.1);

/** Adds to a variable. */
const grow = (sum: Local, by: Code): Code => sum.set(v.add(sum.get, by));

interface WithMinimum {
  name: string;
  /** The highest level. */
  most: number;
  candidates: number;
}

/**
 * Scale and minimum: value ≈ scale · level + min, with levels from 0. The error is weighted by the value's size and the
 * group's. Candidates are numbers of levels that the range might be divided into; the levels that follow from one give the
 * least-squares scale and minimum; and the best of these is kept. A candidate's levels count from the best minimum so far.
 */
const withMinimum = ({ name, most, candidates }: WithMinimum) =>
  routine(
    name,
    ['at', 'candidate'],
    [
      ...(['mean', 'min', 'max', 'sumW', 'sumX', 'same', 'range', 'inverse', 'scale', 'least'] as const),
      ...(['level', 'weighted', 'off', 'sumL', 'sumL2', 'sumXL', 'determinant'] as const),
      ...(['newScale', 'newMin', 'positive', 'error', 'better'] as const),
    ],
    ({ at, candidate, ...s }) => {
      const each = (...body: Code[]) => loop(at, VECTOR, 32 * VECTOR, body.flat());
      const [x, above, weight] = [load(at.get, X), load(at.get, ABOVE_MIN), load(at.get, WEIGHTS)];
      const zero = v.constant(0);
      const error = (scale: Local, min: Local, level: Code, sum: Local): Code => [
        ...s.off.set(v.sub(v.add(v.mul(scale.get, level), min.get), x)),
        ...grow(sum, v.mul(weight, v.mul(s.off.get, s.off.get))),
      ];
      const fromMin = each(store(at.get, ABOVE_MIN, v.sub(x, s.min.get)));
      return [
        s.mean.set(zero),
        each(grow(s.mean, v.mul(x, x))),
        s.mean.set(v.sqrt(v.div(s.mean.get, v.constant(32)))),
        s.min.set(load(ZERO, X)),
        s.max.set(s.min.get),
        s.sumW.set(zero),
        s.sumX.set(zero),
        each(
          s.min.set(v.least(s.min.get, x)),
          s.max.set(v.largest(s.max.get, x)),
          store(at.get, WEIGHTS, v.add(s.mean.get, v.abs(x))),
          grow(s.sumW, weight),
          grow(s.sumX, v.mul(weight, x)),
        ),
        s.min.set(v.select(v.greater(s.min.get, zero), zero, s.min.get)),
        // Nothing to fit: the minimum alone says it all. What the lane computes from here on is thrown away.
        s.same.set(v.equal(s.max.get, s.min.get)),
        s.range.set(v.sub(s.max.get, s.min.get)),
        fromMin,
        s.inverse.set(v.div(v.constant(most), s.range.get)),
        s.scale.set(v.div(v.constant(1), s.inverse.get)),
        s.least.set(zero),
        each(
          s.level.set(nearest(v.mul(s.inverse.get, above), 0, most)),
          store(at.get, LEVELS, s.level.get),
          error(s.scale, s.min, s.level.get, s.least),
        ),
        loop(candidate, 4, 4 * candidates, [
          ...s.inverse.set(v.div(loadOne(candidate.get, CANDIDATES), s.range.get)),
          ...s.sumL.set(zero),
          ...s.sumL2.set(zero),
          ...s.sumXL.set(zero),
          ...each(
            s.level.set(nearest(v.mul(s.inverse.get, above), 0, most)),
            store(at.get, TRIED, s.level.get),
            s.weighted.set(v.mul(weight, s.level.get)),
            grow(s.sumL, s.weighted.get),
            grow(s.sumL2, v.mul(s.weighted.get, s.level.get)),
            grow(s.sumXL, v.mul(s.weighted.get, x)),
          ),
          ...s.determinant.set(v.sub(v.mul(s.sumW.get, s.sumL2.get), v.mul(s.sumL.get, s.sumL.get))),
          ...s.newScale.set(
            v.div(v.sub(v.mul(s.sumW.get, s.sumXL.get), v.mul(s.sumX.get, s.sumL.get)), s.determinant.get),
          ),
          ...s.newMin.set(
            v.div(v.sub(v.mul(s.sumL2.get, s.sumX.get), v.mul(s.sumL.get, s.sumXL.get)), s.determinant.get),
          ),
          ...s.positive.set(v.greater(s.newMin.get, zero)),
          ...s.newMin.set(v.select(s.positive.get, zero, s.newMin.get)),
          ...s.newScale.set(v.select(s.positive.get, v.div(s.sumXL.get, s.sumL2.get), s.newScale.get)),
          ...s.error.set(zero),
          ...each(error(s.newScale, s.newMin, load(at.get, TRIED), s.error)),
          ...s.better.set(v.and(v.greater(s.determinant.get, zero), v.less(s.error.get, s.least.get))),
          ...ifAny(s.better.get, [
            ...s.least.set(v.select(s.better.get, s.error.get, s.least.get)),
            ...s.scale.set(v.select(s.better.get, s.newScale.get, s.scale.get)),
            ...s.min.set(v.select(s.better.get, s.newMin.get, s.min.get)),
            ...s.range.set(v.sub(s.max.get, s.min.get)),
            ...fromMin,
            ...each(store(at.get, LEVELS, v.select(s.better.get, load(at.get, TRIED), load(at.get, LEVELS)))),
          ]),
        ]),
        store(ZERO, SCALES, v.select(s.same.get, zero, s.scale.get)),
        store(ZERO, MINIMA, v.neg(s.min.get)),
        each(store(at.get, LEVELS, v.select(s.same.get, zero, load(at.get, LEVELS)))),
      ];
    },
  );

/** Levels on both sides of zero: −32 … 31. */
const MIDDLE = 32;
/** What counts as zero. */
const LEAST = Math.fround(1e-15);
/** The plain one first, then the others from −9 to 9 tenths of a level. */
const SYMMETRIC = Array.from({ length: 19 }, (_, i) => {
  const tenths = i === 0 ? 0 : i <= 9 ? i - 10 : i - 9;
  return -(MIDDLE + Math.fround(TENTH * tenths));
});

/**
 * A scale alone, which may be negative: value ≈ scale · level. The error is weighted by the value's square. A candidate gives the
 * value of largest magnitude the level −32, or some tenths more or less; the levels that follow give the least-squares scale.
 */
const symmetric = routine(
  'symmetric',
  ['at', 'candidate'],
  ['largest', 'extreme', 'larger', 'inverse', 'level', 'sumXL', 'sumL2', 'scale', 'best', 'better'],
  ({ at, candidate, ...s }) => {
    const each = (...body: Code[]) => loop(at, VECTOR, 16 * VECTOR, body.flat());
    const [x, weight, weighted] = [load(at.get, X), load(at.get, WEIGHTS), load(at.get, WEIGHTED)];
    const zero = v.constant(0);
    return [
      s.largest.set(zero),
      s.extreme.set(zero),
      each(
        s.larger.set(v.greater(v.abs(x), s.largest.get)),
        s.largest.set(v.select(s.larger.get, v.abs(x), s.largest.get)),
        s.extreme.set(v.select(s.larger.get, x, s.extreme.get)),
        store(at.get, WEIGHTS, v.mul(x, x)),
        store(at.get, WEIGHTED, v.mul(weight, x)),
      ),
      s.scale.set(zero),
      // Below any error, so that the first is taken.
      s.best.set(v.constant(-1)),
      loop(candidate, 4, 4 * SYMMETRIC.length, [
        ...s.inverse.set(v.div(loadOne(candidate.get, CANDIDATES), s.extreme.get)),
        ...s.sumXL.set(zero),
        ...s.sumL2.set(zero),
        ...each(
          s.level.set(nearest(v.mul(s.inverse.get, x), -MIDDLE, MIDDLE - 1)),
          store(at.get, TRIED, s.level.get),
          grow(s.sumXL, v.mul(weighted, s.level.get)),
          grow(s.sumL2, v.mul(v.mul(weight, s.level.get), s.level.get)),
        ),
        ...s.better.set(
          v.and(
            v.greater(s.sumL2.get, zero),
            v.greater(v.mul(s.sumXL.get, s.sumXL.get), v.mul(s.best.get, s.sumL2.get)),
          ),
        ),
        ...ifAny(s.better.get, [
          ...s.scale.set(v.select(s.better.get, v.div(s.sumXL.get, s.sumL2.get), s.scale.get)),
          ...s.best.set(v.select(s.better.get, v.mul(s.scale.get, s.sumXL.get), s.best.get)),
          ...each(store(at.get, LEVELS, v.select(s.better.get, load(at.get, TRIED), load(at.get, LEVELS)))),
        ]),
      ]),
      // All zero: the level is the lowest as it is stored.
      s.larger.set(v.less(s.largest.get, v.constant(LEAST))),
      store(ZERO, SCALES, v.select(s.larger.get, zero, s.scale.get)),
      each(store(at.get, LEVELS, v.select(s.larger.get, v.constant(-MIDDLE), load(at.get, LEVELS)))),
    ];
  },
);

/** The numbers of levels that candidates divide the range into: `most + first + i / 10`. */
const levelsTried = (most: number, first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(first + Math.fround(TENTH * i)) + most);

const KINDS = {
  /** Q4_K */
  upTo15: levelsTried(15, -1, 21),
  /** Q5_K */
  upTo31: levelsTried(31, -0.5, 16),
  /** Q6_K */
  symmetric: SYMMETRIC,
};

export interface Search {
  /** Of the four groups: value i of group g at i · LANES + g. */
  x: Float32Array;
  /** The same places. */
  levels: Float32Array;
  /** For each group. */
  scales: Float32Array;
  /** For each group, with its sign changed; of no use where levels are on both sides of zero. */
  minima: Float32Array;
  run(): void;
}

let searches: ((kind: keyof typeof KINDS) => Search) | null = null;

/** One search at a time: they share their memory. */
export function searchOf(kind: keyof typeof KINDS): Search {
  searches ??= compiled();
  return searches(kind);
}

function compiled(): (kind: keyof typeof KINDS) => Search {
  const { memory, run } = assemble([
    withMinimum({ name: 'upTo15', most: 15, candidates: KINDS.upTo15.length }),
    withMinimum({ name: 'upTo31', most: 31, candidates: KINDS.upTo31.length }),
    symmetric,
  ]);
  const part = (from: number, count: number) => memory.subarray(from / 4, from / 4 + count);
  return (kind) => {
    part(CANDIDATES, KINDS[kind].length).set(KINDS[kind]);
    return {
      x: part(X, 32 * LANES),
      levels: part(LEVELS, 32 * LANES),
      scales: part(SCALES, LANES),
      minima: part(MINIMA, LANES),
      run: run[kind]!,
    };
  };
}

/** Puts groups of `size` values that follow one another from `start` on into the lanes of a search. */
export function fillLanes({ x }: Search, values: ArrayLike<number>, start: number, size: number): void {
  for (let lane = 0; lane < LANES; lane++) {
    for (let i = 0; i < size; i++) x[i * LANES + lane] = values[start + lane * size + i]!;
  }
}
