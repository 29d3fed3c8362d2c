import { earnsRewards, shownLoss } from '../../../stores/evaluations';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { recentText as text } from '../../text/train';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { cx } from '../../util/cx';
import { formatMetric, formatWhen } from '../../util/format';
import { hashOf } from '../../util/route';
import { Swatch } from '../charts/Swatch';
import { overlayLooks } from './LossPanel';
import { StatusBadge } from './RunFacts';

/** More of them are on the Runs page. */
const FEW = 4;

/** The last few runs besides the one shown, to look at or to lay over its chart. */
export function RecentRuns() {
  const { runs, overlay, error, toggleOverlay } = useRuns(useFields('runs', 'overlay', 'error', 'toggleOverlay'));
  const shown = useTraining((state) => state.run?.id);
  const active = useTraining(runActive);
  const others = runs.filter(({ id }) => id !== shown);
  // What is laid over the chart stays in sight.
  const listed = others.filter(({ id }, i) => i < FEW || overlay.includes(id));
  if (listed.length === 0 && !error) return null;
  return (
    <Panel
      title={text.title}
      description={text.description}
      aside={
        <a href={hashOf('runs')} className="text-[0.8125rem] underline underline-offset-2">
          {text.all(runs.length)}
        </a>
      }
      flush
    >
      {error && (
        <div className="px-4 pb-3">
          <ErrorNotice error={error} />
        </div>
      )}
      <ul className="divide-y border-t">
        {listed.map((run) => {
          const place = overlay.indexOf(run.id);
          const when = formatWhen(run.createdAt);
          return (
            <li key={run.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
              <span className="flex w-14 items-center gap-2">
                <input
                  type="checkbox"
                  className="size-6"
                  aria-label={text.overlay(run.name, when)}
                  checked={place >= 0}
                  onChange={() => void toggleOverlay(run.id)}
                />
                {place >= 0 && <Swatch series={overlayLooks[place]!} />}
              </span>
              <span className="min-w-0 flex-1 basis-40">
                {active ? (
                  <span className="font-medium wrap-anywhere">{run.name}</span>
                ) : (
                  <a
                    href={hashOf('train', run.id)}
                    onClick={() => void useTraining.getState().show(run)}
                    className="inline-block min-h-6 font-medium wrap-anywhere underline-offset-2 hover:underline"
                  >
                    {run.name}
                  </a>
                )}
                <span className="ml-2 text-[0.8125rem] text-muted">{when}</span>
              </span>
              <StatusBadge status={run.status} />
              <span className={cx('min-w-24 text-right text-[0.8125rem]', run.bestEvalLoss === null && 'text-muted')}>
                <span className="text-muted">
                  {run.bestEvalLoss === null ? text.loss : earnsRewards(run) ? text.reward : text.validation}
                </span>
                {formatMetric(shownLoss(run, run.bestEvalLoss) ?? run.finalLoss)}
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
