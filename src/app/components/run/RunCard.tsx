import { Suspense } from 'react';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { runText } from '../../text/run';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { cx } from '../../util/cx';
import { lazyAhead } from '../../util/lazyAhead';
import { RunButtons } from './RunButtons';
import { RunNumbers } from './RunNumbers';
import { RunProgress } from './RunProgress';
import { useRunControls } from './useRunControls';

const RunPlan = lazyAhead(() => import('./RunPlan').then((module) => module.RunPlan));

/**
 * The run card: what will be trained, what it takes, what blocks it, and the one big button, which stays in sight. `ground` is the
 * colour behind the card.
 */
export function RunCard({ ground = 'bg-canvas' }: { ground?: 'bg-canvas' | 'bg-raised' }) {
  const { mode } = useRunControls();
  const name = useRecipe((state) => state.recipe.name);
  const runName = useTraining((state) => state.run?.name);
  const active = mode !== 'start';
  return (
    <div className="flex min-h-full flex-col gap-5">
      <p className="break-words text-[0.9375rem] font-semibold">{(active && runName) || name}</p>
      {active ? (
        <>
          <RunProgress />
          <RunNumbers />
        </>
      ) : (
        <LoadBoundary>
          <Suspense fallback={null}>
            <RunPlan />
          </Suspense>
        </LoadBoundary>
      )}
      {active && <p className="text-[0.8125rem] text-muted">{runText.meanwhile}</p>}
      <div className={cx('-mx-5 mt-auto flex flex-wrap gap-2 border-t px-5 py-4 tall:sticky tall:bottom-0', ground)}>
        <RunButtons />
      </div>
    </div>
  );
}
