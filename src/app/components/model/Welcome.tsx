import { defaultRecipe } from '../../../recipe/defaults';
import { changesFor, demos, isDemo } from '../../../stores/demos';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { runActive, useTraining } from '../../../stores/training';
import { welcomeText as text } from '../../text/model';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Rich } from '../../ui/Rich';

/** For somebody who has never trained here: what this is, and two things to try with one press. Gone after the first run. */
export function Welcome() {
  const noRuns = useRuns(({ known, runs }) => known && runs.length === 0);
  const active = useTraining(runActive);
  const recipe = useRecipe((state) => state.recipe);
  const set = useRecipe((state) => state.set);
  if (!noRuns || active || recipe.model.source !== defaultRecipe().model.source) return null;
  return (
    <div className="space-y-3 rounded-lg border border-accent/30 bg-accent-soft px-5 py-4">
      <div>
        <h2 className="text-base font-semibold">{text.title}</h2>
        <p className="mt-1 max-w-prose">
          <Rich text={text.what} />
        </p>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        {demos.map((demo) => (
          <ChoiceCard
            key={demo.name}
            name={text.demos[demo.name].name}
            chosen={isDemo(demo, recipe)}
            onChoose={() => set(changesFor(demo, recipe))}
            facts={text.demos[demo.name].takes}
          >
            {text.demos[demo.name].what}
          </ChoiceCard>
        ))}
      </div>
      <p className="text-[0.8125rem] text-muted">{text.own}</p>
    </div>
  );
}
