import { Suspense } from 'react';
import { useHub } from '../../../stores/hub';
import { useScreen } from '../../../stores/screen';
import { useEver } from '../../hooks/useEver';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { lazyAhead } from '../../util/lazyAhead';

const DialogHost = lazyAhead(() => import('./DialogHost').then((module) => module.DialogHost));

/** The dialogs are one chunk, fetched ahead of time or when the first of them is opened. */
export function Dialogs() {
  const open = useScreen((state) => state.dialog !== null);
  const looking = useHub((state) => state.looking !== null);
  if (!useEver(open || looking)) return null;
  return (
    <LoadBoundary>
      <Suspense fallback={null}>
        <DialogHost />
      </Suspense>
    </LoadBoundary>
  );
}
