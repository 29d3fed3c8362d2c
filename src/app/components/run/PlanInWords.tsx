import { TriangleAlert } from 'lucide-react';
import { objectiveOf } from '../../../objectives';
import { useData } from '../../../stores/data';
import { suitsData } from '../../../stores/goal';
import { useModel } from '../../../stores/model';
import type { PageName } from '../../../stores/pages';
import { useRecipe } from '../../../stores/recipe';
import { useScreen } from '../../../stores/screen';
import { type PlanPart, type PlanPlace, planText as text } from '../../text/plan';
import { CAREFUL_FIELD, GOAL_PANEL, hashOf, LONG_FIELD, MEMORY_PANEL, navigate } from '../../util/route';
import { usePlanParts } from './usePlanParts';

const places: Record<PlanPlace, { page: PageName; part?: string }> = {
  model: { page: 'model' },
  goal: { page: 'recipe', part: GOAL_PANEL },
  data: { page: 'data' },
  kept: { page: 'recipe', part: CAREFUL_FIELD },
  time: { page: 'recipe', part: LONG_FIELD },
  memory: { page: 'recipe', part: MEMORY_PANEL },
};

function Part({ text: words, to }: PlanPart) {
  if (!to) return words;
  const { page, part } = places[to];
  return (
    <a
      href={hashOf(page)}
      title={text.places[to]}
      className="font-medium underline decoration-edge underline-offset-4 hover:decoration-accent"
      onClick={(event) => {
        event.preventDefault();
        useScreen.getState().closeDialog();
        navigate(page, { part });
      }}
    >
      {words}
    </a>
  );
}

/** The run in one sentence; each part of it leads to where it is changed. */
export function PlanInWords() {
  const parts = usePlanParts();
  const recipe = useRecipe((state) => state.recipe);
  const chosenFor = useRecipe((state) => state.goalChosenFor);
  const device = useModel((state) => state.device);
  const dataset = useData((state) => state.dataset);
  if (!parts) return null;
  const followed = dataset !== null && chosenFor !== recipe.dataset.source && suitsData(recipe, dataset.format);
  // Goals made for prompts with one answer learn the better one and nothing of the other.
  const oneAnswer = objectiveOf(recipe.objective).goal.formats.includes('prompt_completion');
  const pairs = oneAnswer && dataset?.uses.some(({ part }) => part === 'rejected' || part === 'answers') === true;
  return (
    <div className="space-y-3">
      {/* biome-ignore lint/a11y/useSemanticElements: a sentence and its remarks are no form. */}
      <div role="group" aria-label={text.title}>
        <p className="text-[0.9375rem] leading-relaxed">
          {parts.map((part, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence, in its order.
            <Part key={i} {...part} />
          ))}
        </p>
        {followed && <p className="mt-1 text-[0.8125rem] text-muted">{text.fromData(dataset.detected)}</p>}
        {pairs && <p className="mt-1 text-[0.8125rem] text-muted">{text.pairs}</p>}
      </div>
      {device?.software && (
        <p className="flex items-start gap-2 text-[0.8125rem]">
          <TriangleAlert aria-hidden size={15} className="mt-0.5 shrink-0 text-warn" />
          <span>
            <strong className="font-medium">{text.software.title}</strong>
            {text.software.text}
          </span>
        </p>
      )}
    </div>
  );
}
