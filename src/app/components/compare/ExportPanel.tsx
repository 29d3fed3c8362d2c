import { exportBy } from '../../../exports';
import { useCompare } from '../../../stores/compare';
import { useRecipe } from '../../../stores/recipe';
import { exportText } from '../../text/compare';
import { Panel } from '../../ui/Panel';
import { ExportAdapter } from './ExportAdapter';
import { ExportMerged } from './ExportMerged';

/** Export of the adapter alone, or merged into the model. */
export function ExportPanel() {
  const adapter = useCompare((state) => state.adapter);
  const recipe = useRecipe((state) => state.recipe);
  const { method, objective } = adapter ?? { method: recipe.method.type, objective: recipe.objective.type };
  return (
    <Panel title={exportText.title} flush>
      <div className="divide-y">
        {exportBy('adapter').refusal({ method, objective }) === null && (
          <div className="px-4 pt-1 pb-5">
            <ExportAdapter />
          </div>
        )}
        <div className="px-4 pt-4 pb-5">
          <ExportMerged method={method} objective={objective} />
        </div>
      </div>
    </Panel>
  );
}
