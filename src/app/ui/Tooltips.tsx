import { Suspense } from 'react';
import { type Tip, useTip } from '../hooks/useTip';
import { lazyAhead } from '../util/lazyAhead';
import { LoadBoundary } from './LoadBoundary';

const TipPopup = lazyAhead<{ tip: Tip }>(() => import('./TipPopup').then((module) => module.TipPopup));

/** The tooltips of the whole window, of which one is shown at a time. */
export function Tooltips() {
  const tip = useTip();
  if (!tip) return null;
  return (
    // A hint that cannot be fetched is missed by nobody: its text is in the name too.
    <LoadBoundary onFail={() => {}} key={tip.text}>
      <Suspense fallback={null}>
        <TipPopup tip={tip} />
      </Suspense>
    </LoadBoundary>
  );
}
