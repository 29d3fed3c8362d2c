import { Pause, Play, Square } from 'lucide-react';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { startTraining } from '../../util/runActions';
import { useRunControls } from './useRunControls';

/** Start training; while it runs, Pause or Resume, and Stop. */
export function RunButtons({ size = 'large' }: { size?: 'normal' | 'large' }) {
  const { mode, why } = useRunControls();
  const { pause, resume, stop } = useTraining();
  if (mode === 'start') {
    return (
      <Button variant="primary" size={size} why={why} onClick={startTraining} className="flex-1">
        <Play aria-hidden size={18} fill="currentColor" />
        Start training
      </Button>
    );
  }
  const busy = mode === 'starting' ? 'The run is being prepared.' : mode === 'stopping' && 'It stops after this step.';
  return (
    <>
      {mode === 'paused' ? (
        <Button variant="primary" size={size} onClick={resume} className="flex-1">
          <Play aria-hidden size={18} fill="currentColor" />
          Resume
        </Button>
      ) : (
        <Button variant="primary" size={size} why={busy} onClick={pause} className="flex-1">
          <Pause aria-hidden size={18} fill="currentColor" />
          Pause
        </Button>
      )}
      <Button size={size} why={mode === 'stopping' && 'It stops after this step.'} onClick={stop} className="flex-1">
        <Square aria-hidden size={16} fill="currentColor" />
        Stop
      </Button>
    </>
  );
}
