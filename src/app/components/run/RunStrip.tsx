import { ChevronUp } from 'lucide-react';
import { usePlan } from '../../../stores/plan';
import { useScreen } from '../../../stores/screen';
import { runText } from '../../text/run';
import { shell } from '../../text/shell';
import { Button } from '../../ui/Button';
import { formatCompact, formatDuration, formatPlural } from '../../util/format';
import { RunButtons } from './RunButtons';
import { RunProgress } from './RunProgress';
import { useRunControls } from './useRunControls';

/** The run card in one line, for narrow screens; it opens as a sheet. */
export function RunStrip() {
  const { mode, blockers } = useRunControls();
  const forecast = usePlan((state) => state.forecast);
  const openDialog = useScreen((state) => state.openDialog);
  const planned =
    forecast && forecast.totalSteps > 0
      ? runText.summary(
          formatPlural(forecast.totalSteps, 'step'),
          formatCompact(forecast.trainableParameters),
          forecast.seconds === null ? null : formatDuration(forecast.seconds),
        )
      : runText.gettingReady;
  return (
    <aside aria-label={shell.run} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
      <div className="min-w-0 flex-1 basis-40">
        {mode === 'start' ? (
          <>
            <p className="line-clamp-2 text-[0.8125rem] text-muted">{blockers[0]?.error.message ?? planned}</p>
            <Button variant="quiet" size="small" className="-ml-2" onClick={() => openDialog('runCard')}>
              <ChevronUp aria-hidden size={14} /> {runText.whatItTakes}
            </Button>
          </>
        ) : (
          <RunProgress compact />
        )}
      </div>
      <div className="flex flex-1 basis-40 gap-2 sm:flex-none">
        <RunButtons size="normal" />
      </div>
    </aside>
  );
}
