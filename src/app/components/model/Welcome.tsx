import { defaultRecipe } from '../../../recipe/defaults';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { runActive, useTraining } from '../../../stores/training';
import { modelText } from '../../text/model';
import { Rich } from '../../ui/Rich';

/** For somebody who has never trained here: what this is, and that one press is enough. Gone after the first run. */
export function Welcome() {
  const noRuns = useRuns(({ known, runs }) => known && runs.length === 0);
  const active = useTraining(runActive);
  const first = useRecipe((state) => state.recipe.model.source === defaultRecipe().model.source);
  if (!noRuns || active || !first) return null;
  return (
    <div className="rounded-lg border border-accent/30 bg-accent-soft px-5 py-4">
      <h2 className="text-base font-semibold">{modelText.welcome.title}</h2>
      <p className="mt-1 max-w-prose">
        <Rich text={modelText.welcome.text} />
      </p>
    </div>
  );
}
