import { Suspense } from 'react';
import { useRoute } from '../hooks/useRoute';
import { Page } from '../ui/Page';
import { lazyAhead } from '../util/lazyAhead';
import { BENCHMARK } from '../util/route';
import { ModelPage } from './ModelPage';

const BenchmarkPage = lazyAhead(() => import('./BenchmarkPage').then((module) => module.BenchmarkPage));

/** The models, or the benchmark of this device. */
export function ModelPlace() {
  const { detail } = useRoute();
  if (detail !== BENCHMARK) return <ModelPage />;
  return (
    <Suspense fallback={<Page name="model" />}>
      <BenchmarkPage />
    </Suspense>
  );
}
