import { useData } from '../../../stores/data';
import { useModel } from '../../../stores/model';
import { usePlan } from '../../../stores/plan';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import type { PlanPart } from '../../text/plan';
import { planParts } from './plan';

/** The plan as it is now; null as long as there is no model or no data. */
export function usePlanParts(): PlanPart[] | null {
  const recipe = useRecipe((state) => state.recipe);
  const { info, device } = useModel(useFields('info', 'device'));
  const { dataset, tokens } = useData(useFields('dataset', 'tokens'));
  const forecast = usePlan((state) => state.forecast);
  // A recipe that cannot run has no forecast: it is all zeros.
  const planned = forecast && forecast.totalBytes > 0 ? forecast : null;
  return planParts({ recipe, model: info, dataset, tokens, forecast: planned, device });
}
