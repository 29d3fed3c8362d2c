import { Panel } from '../../ui/Panel';
import { ExportAdapter } from './ExportAdapter';
import { ExportMerged } from './ExportMerged';

/** Taking away what was learned: alone, or merged into the model. */
export function ExportPanel() {
  return (
    <Panel title="Export" flush>
      <div className="divide-y">
        <div className="px-4 pt-1 pb-5">
          <ExportAdapter />
        </div>
        <div className="px-4 pt-4 pb-5">
          <ExportMerged />
        </div>
      </div>
    </Panel>
  );
}
