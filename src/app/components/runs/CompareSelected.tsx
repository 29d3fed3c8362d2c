import { MessagesSquare } from 'lucide-react';
import type { RunRecord } from '../../../storage/types';
import { useRecipe } from '../../../stores/recipe';
import { runActive, useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { runMenuText, selectionText as text } from '../../text/runs';
import { Button } from '../../ui/Button';
import { navigate } from '../../util/route';

/** As many as stand side by side on Compare. */
const MOST = 3;

/** Leads to Compare, where what the selected runs have learned answers side by side. */
export function CompareSelected({ chosen }: { chosen: readonly RunRecord[] }) {
  const busy = useTraining(runActive);
  const source = useRecipe((state) => state.recipe.model.source);
  const refused = chosen.some(({ step }) => step === 0)
    ? runMenuText.nothingLearned
    : chosen.some(({ recipe }) => recipe.model.source !== source) && runMenuText.otherModel;
  const why = (busy && common.notDuringRun) || (chosen.length > MOST && text.tooMany) || refused;
  return (
    <Button
      size="small"
      why={why}
      onClick={() => navigate('compare', { detail: chosen.map(({ id }) => id).join(',') })}
    >
      <MessagesSquare aria-hidden size={14} /> {text.compare}
    </Button>
  );
}
