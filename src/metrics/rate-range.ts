/** A range test of the learning rate: where it goes, and what it suggests. */

/** Six decades in steps of a tenth: the usual rates of all methods lie well within. */
export const RATE_RANGE = { from: 1e-6, to: 1, steps: 61 } as const;

/** Of the smoothed loss: it must have fallen by so much for its lowest point to mean anything. */
const FALLEN = 0.02;

export interface SuggestedRates {
  /** A tenth of the rate at the lowest smoothed loss (fastai's `minimum`): there it still falls, with room to what diverges. */
  rate: number;
  /** The rate at which the smoothed loss falls the most per factor of the rate (fastai's `steep`). */
  steepest: number;
  /** The rate at the lowest smoothed loss. */
  lowest: number;
}

/** Null if the loss never fell. */
export function suggestRate(points: readonly { rate: number; smoothed: number }[]): SuggestedRates | null {
  const first = points[0];
  if (!first || points.length < 3) return null;
  let low = 0;
  points.forEach(({ smoothed }, i) => {
    if (smoothed < points[low]!.smoothed) low = i;
  });
  if (!(points[low]!.smoothed < first.smoothed - FALLEN * Math.abs(first.smoothed))) return null;
  let steepest = 1;
  const slope = (i: number) =>
    (points[i]!.smoothed - points[i - 1]!.smoothed) / Math.log(points[i]!.rate / points[i - 1]!.rate);
  for (let i = 2; i <= low; i++) if (slope(i) < slope(steepest)) steepest = i;
  return { rate: points[low]!.rate / 10, steepest: points[steepest]!.rate, lowest: points[low]!.rate };
}
