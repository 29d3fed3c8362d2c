import { diffRecipes } from '../../../recipe/diff';
import type { Recipe } from '../../../recipe/types';
import { type Blocker, useBlockers } from '../../../stores/blockers';
import { useCompare } from '../../../stores/compare';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { useRoute } from '../../hooks/useRoute';

/** What the start button does now, and why it cannot. */
export function useRunControls(): {
  mode: 'start' | 'starting' | 'running' | 'paused' | 'stopping';
  blockers: Blocker[];
  why: string | null;
} {
  const phase = useTraining((state) => state.phase);
  const blockers = useBlockers();
  const mode =
    phase === 'idle'
      ? 'start'
      : phase === 'starting' || phase === 'paused' || phase === 'stopping'
        ? phase
        : ('running' as const);
  const first = blockers[0];
  const why = first ? [first.error.message, first.error.action].filter(Boolean).join(' ') : null;
  return { mode, blockers, why };
}

/** Whether a run with this recipe would be the run again. An adapter that is continued decides about its method. */
export function sameRun(run: Recipe, recipe: Recipe): boolean {
  const continued = 'init_adapter' in recipe.method && recipe.method.init_adapter !== null;
  return diffRecipes(run, recipe).every(({ path }) => path === 'name' || (continued && path.startsWith('method.')));
}

/** What to do next: what was learned is looked at, then taken away; a changed recipe is trained. */
export function useNext(): 'train' | 'compare' | 'export' {
  const adapter = useCompare((state) => state.adapter);
  const recipe = useRecipe((state) => state.recipe);
  const { page } = useRoute();
  if (adapter?.kind !== 'run' || !sameRun(adapter.run.recipe, recipe)) return 'train';
  return page === 'compare' ? 'export' : 'compare';
}
