import { ArrowRight, Pause, Play, Square } from 'lucide-react';
import { useScreen } from '../../../stores/screen';
import { useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { runText } from '../../text/run';
import { Button } from '../../ui/Button';
import { EXPORT_PANEL, navigate } from '../../util/route';
import { startTraining } from '../../util/runActions';
import { useNext, useRunControls } from './useRunControls';

function compare() {
  useScreen.getState().closeDialog();
  navigate('compare');
}

/** To the part of the page where it is taken away. */
function showExport() {
  useScreen.getState().closeDialog();
  navigate('compare', { part: EXPORT_PANEL });
}

/** Start training, after a run what to do with it; during a run, Pause or Resume, and Stop. */
export function RunButtons({ size = 'large' }: { size?: 'normal' | 'large' }) {
  const { mode, why } = useRunControls();
  const next = useNext();
  const pause = useTraining((state) => state.pause);
  const resume = useTraining((state) => state.resume);
  const stop = useTraining((state) => state.stop);
  if (mode === 'start') {
    return (
      <>
        {next !== 'train' && (
          <Button variant="primary" size={size} onClick={next === 'export' ? showExport : compare} className="flex-1">
            {next === 'export' ? runText.toExport : runText.compare}
            <ArrowRight aria-hidden size={18} />
          </Button>
        )}
        <Button
          variant={next === 'train' ? 'primary' : 'secondary'}
          size={size}
          why={why}
          onClick={startTraining}
          className="flex-1"
        >
          <Play aria-hidden size={18} fill="currentColor" />
          {runText.startTraining}
        </Button>
      </>
    );
  }
  const stopping = mode === 'stopping' && runText.stopping;
  return (
    <>
      {mode === 'paused' ? (
        <Button variant="primary" size={size} onClick={resume} className="flex-1">
          <Play aria-hidden size={18} fill="currentColor" />
          {common.resume}
        </Button>
      ) : (
        <Button
          variant="primary"
          size={size}
          why={mode === 'starting' ? runText.preparing : stopping}
          onClick={pause}
          className="flex-1"
        >
          <Pause aria-hidden size={18} fill="currentColor" />
          {common.pause}
        </Button>
      )}
      <Button size={size} why={stopping} onClick={stop} className="flex-1">
        <Square aria-hidden size={16} fill="currentColor" />
        {common.stop}
      </Button>
    </>
  );
}
