/** The range test as a chart: one step each on an axis whose rates grow by the same factor. */
import type { RatePoint } from '../../../session/api';
import { rateText as text } from '../../text/trial';
import type { Mark, Plot } from '../charts/series';

/** The step whose rate is nearest by factor; null where the test has not come near it. */
export function nearestStep(points: readonly RatePoint[], rate: number): number | null {
  const away = (i: number) => Math.abs(Math.log(points[i]!.rate / rate));
  let best: number | null = null;
  for (let i = 0; i < points.length; i++) if (best === null || away(i) < away(best)) best = i;
  // Ten steps are a factor of ten.
  return best !== null && away(best) < Math.log(1.3) ? best : null;
}

/** Steps. */
const APART = 7;

export function ratePlot(points: readonly RatePoint[], suggested: number | null, now: number): Plot {
  const mark = (rate: number | null, label: string, color: string): Mark[] => {
    const step = rate === null ? null : nearestStep(points, rate);
    return step === null ? [] : [{ step, value: points[step]!.smoothed, label, color }];
  };
  const marks = [...mark(suggested, text.mark, '--series-2'), ...mark(now, text.now, '--muted')];
  return {
    x: points.map((_, i) => i),
    series: [
      { name: text.loss, color: '--series-1', faint: true, width: 1, values: points.map(({ loss }) => loss) },
      { name: text.smoothed, color: '--series-1', values: points.map(({ smoothed }) => smoothed) },
    ],
    // The words of two marks side by side would lie over each other: then only the suggestion has any.
    marks: marks.filter(({ step }, i) => i === 0 || Math.abs(step - marks[0]!.step) > APART),
  };
}
