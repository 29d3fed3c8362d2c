import { ChevronUp } from 'lucide-react';
import { useScreen } from '../../../stores/screen';
import { runText } from '../../text/run';
import { shell } from '../../text/shell';
import { Button } from '../../ui/Button';
import { RunButtons } from './RunButtons';
import { RunProgress } from './RunProgress';
import { usePlanParts } from './usePlanParts';
import { useRunControls } from './useRunControls';

/** The run card in one line, for narrow screens; it opens as a sheet. On a low window its buttons are in another bar. */
export function RunStrip({ buttons = true }: { buttons?: boolean }) {
  const { mode, blockers } = useRunControls();
  const planned = usePlanParts()
    ?.map(({ text }) => text)
    .join('');
  const openDialog = useScreen((state) => state.openDialog);
  return (
    <aside aria-label={shell.run} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
      <div className="min-w-0 flex-1 basis-40">
        {mode === 'start' ? (
          <>
            <p className="line-clamp-3 text-[0.8125rem] text-muted">
              {blockers[0]?.error.message ?? planned ?? runText.gettingReady}
            </p>
            <Button variant="quiet" size="small" className="-ml-2" onClick={() => openDialog('runCard')}>
              <ChevronUp aria-hidden size={14} /> {runText.whatItTakes}
            </Button>
          </>
        ) : (
          <RunProgress compact />
        )}
      </div>
      {buttons && (
        <div className="flex flex-1 basis-40 gap-2 sm:flex-none">
          <RunButtons size="normal" />
        </div>
      )}
    </aside>
  );
}
