import { defaultRecipe } from '../../../recipe/defaults';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';

/** For somebody who has never trained here: what this is, and that one press is enough. Gone after the first run. */
export function Welcome() {
  const { runs, known } = useRuns();
  const idle = useTraining((state) => state.phase === 'idle');
  const first = useRecipe((state) => state.recipe.model.source === defaultRecipe().model.source);
  if (!known || runs.length > 0 || !idle || !first) return null;
  return (
    <div className="rounded-lg border border-accent/30 bg-accent-soft px-5 py-4">
      <h2 className="text-base font-semibold">
        Teach a small language model to answer like your examples, in this tab
      </h2>
      <p className="mt-1 max-w-prose">
        Everything is chosen for a first try: a tiny model, and a few hundred answers of a friendly pirate. Press{' '}
        <strong>Start training</strong>, then compare it with the model it was. After that, bring your own examples.
      </p>
    </div>
  );
}
