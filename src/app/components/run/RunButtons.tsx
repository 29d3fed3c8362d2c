import { Pause, Play, Square } from 'lucide-react';
import { useTraining } from '../../../stores/training';
import { common } from '../../text/common';
import { runText } from '../../text/run';
import { Button } from '../../ui/Button';
import { startTraining } from '../../util/runActions';
import { useRunControls } from './useRunControls';

/** Start training; during a run, Pause or Resume, and Stop. */
export function RunButtons({ size = 'large' }: { size?: 'normal' | 'large' }) {
  const { mode, why } = useRunControls();
  const pause = useTraining((state) => state.pause);
  const resume = useTraining((state) => state.resume);
  const stop = useTraining((state) => state.stop);
  if (mode === 'start') {
    return (
      <Button variant="primary" size={size} why={why} onClick={startTraining} className="flex-1">
        <Play aria-hidden size={18} fill="currentColor" />
        {runText.startTraining}
      </Button>
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
