import { Suspense } from 'react';
import { useEver } from '../hooks/useEver';
import { lazyAhead } from '../util/lazyAhead';
import type { ConfirmProps } from './ConfirmDialog';

const ConfirmDialog = lazyAhead<ConfirmProps>(() => import('./ConfirmDialog').then((module) => module.ConfirmDialog));

/** Asks before something that cannot be undone. Fetched ahead of time, or when the question is first asked. */
export function Confirm(props: ConfirmProps) {
  if (!useEver(props.open)) return null;
  return (
    <Suspense fallback={null}>
      <ConfirmDialog {...props} />
    </Suspense>
  );
}
