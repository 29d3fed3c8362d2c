import { type ComponentProps, Suspense } from 'react';
import { lazyAhead } from '../../util/ahead';
import type { StepChart as Loaded } from './StepChart';

type Props = ComponentProps<typeof Loaded>;

const Chart = lazyAhead<Props>(() => import('./StepChart').then((module) => ({ default: module.StepChart })));

/** The chart, with the library that draws it in a chunk of its own. */
export function StepChart(props: Props) {
  return (
    <Suspense fallback={<div style={{ height: props.height ?? 280 }} />}>
      <Chart {...props} />
    </Suspense>
  );
}
