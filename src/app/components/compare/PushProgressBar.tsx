import type { PushPace } from '../../../hub/push/types';
import { usePush } from '../../../stores/push';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { pushText as text } from '../../text/push';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatDuration } from '../../util/format';

/** Bytes, rate and time left. */
function amountOf({ phase, done, total, rate, secondsLeft }: PushPace): string {
  if (total === 0) return '';
  const amount = text.amount(formatBytes(done), formatBytes(total));
  const speed = phase === 'uploading' && rate ? text.rate(formatBytes(rate)) : '';
  const left = phase === 'uploading' && secondsLeft !== null ? common.timeLeft(formatDuration(secondsLeft)) : '';
  return [amount, speed, left].filter(Boolean).join(' · ');
}

export function PushProgressBar() {
  const { progress, repo } = usePush(useFields('progress', 'repo'));
  const what = progress ? text.working[progress.phase] : text.looking;
  const amount = progress ? amountOf(progress) : '';
  const share = progress && progress.total > 0 ? progress.done / progress.total : null;
  return (
    <div className="space-y-2 rounded-lg border px-4 py-3">
      <p className="break-words font-mono text-xs">{repo}</p>
      <p role="status" className="break-words">
        {progress?.file ? text.ofFile(what, progress.file) : what}
      </p>
      <ProgressBar label={text.progress} value={share} text={amount || what} />
      <p className="min-h-5 text-[0.8125rem] text-muted tabular-nums">{amount}</p>
      <p className="text-[0.8125rem] text-muted">{text.goesOn}</p>
    </div>
  );
}
