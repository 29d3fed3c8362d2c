import { Suspense, useState } from 'react';
import { useScreen } from '../../stores/screen';
import { lazyAhead } from '../util/lazyAhead';
import type { ConfirmProps } from './ConfirmDialog';
import { LoadBoundary } from './LoadBoundary';

const ConfirmDialog = lazyAhead<ConfirmProps>(() => import('./ConfirmDialog').then((module) => module.ConfirmDialog));

/** Asks before something that cannot be undone. Fetched ahead of time, or when the question is first asked. */
export function Confirm(props: ConfirmProps) {
  const [asked, setAsked] = useState(false);
  const showError = useScreen((state) => state.showError);
  if (props.open && !asked) setAsked(true);
  if (!asked) return null;
  return (
    <LoadBoundary
      onFail={(error) => {
        setAsked(false);
        props.onCancel();
        showError(error);
      }}
    >
      <Suspense fallback={null}>
        <ConfirmDialog {...props} />
      </Suspense>
    </LoadBoundary>
  );
}
