import { diffRecipes } from '../../../recipe/diff';
import type { RunRecord } from '../../../storage/types';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { diffText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatWhen } from '../../util/format';

const title = (run: RunRecord) => text.run(run.name, formatWhen(run.createdAt));
const show = (value: unknown) =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

/** How the recipes of the overlaid runs differ from that of the run shown. */
export function RecipeDiff() {
  const runs = useRuns((state) => state.runs);
  const overlay = useRuns((state) => state.overlay);
  const shown = useTraining((state) => state.run);
  const others = overlay.flatMap((id) => runs.find((run) => run.id === id) ?? []).filter((run) => run.id !== shown?.id);
  if (!shown || others.length === 0) return null;
  return (
    <Panel title={text.title}>
      <div className="space-y-4">
        {others.map((other) => {
          const differences = diffRecipes(shown.recipe, other.recipe);
          return (
            <div key={other.id} className="overflow-x-auto">
              {differences.length === 0 ? (
                <p>{text.same(title(other))}</p>
              ) : (
                <table className="w-full text-left">
                  <caption className="sr-only">{text.caption(title(other))}</caption>
                  <thead>
                    <tr className="border-b text-[0.8125rem] text-muted">
                      <th scope="col" className="py-1 pr-4 font-medium">
                        {text.field}
                      </th>
                      <th scope="col" className="py-1 pr-4 font-medium">
                        {text.shown}
                      </th>
                      <th scope="col" className="py-1 font-medium">
                        {title(other)}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {differences.map(({ path, a, b }) => (
                      <tr key={path} className="border-b last:border-b-0">
                        <th scope="row" className="py-1 pr-4 font-mono text-[0.8125rem] font-normal">
                          {path}
                        </th>
                        <td className="py-1 pr-4 break-all">{show(a)}</td>
                        <td className="py-1 break-all">{show(b)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </div>
          );
        })}
      </div>
    </Panel>
  );
}
