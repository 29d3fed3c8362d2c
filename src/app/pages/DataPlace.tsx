import { Suspense } from 'react';
import { useRoute } from '../hooks/useRoute';
import { Page } from '../ui/Page';
import { lazyAhead } from '../util/lazyAhead';
import { CLASSES, SELF_INSTRUCT } from '../util/route';
import { DataPage } from './DataPage';

const ClassesPage = lazyAhead(() => import('./ClassesPage').then((module) => module.ClassesPage));

const SelfInstructPage = lazyAhead(() => import('./SelfInstructPage').then((module) => module.SelfInstructPage));

/** Files, classes that are typed by hand, or examples that the model writes. */
export function DataPlace() {
  const { detail } = useRoute();
  if (detail !== CLASSES && detail !== SELF_INSTRUCT) return <DataPage />;
  return (
    <Suspense fallback={<Page name="data" />}>{detail === CLASSES ? <ClassesPage /> : <SelfInstructPage />}</Suspense>
  );
}
