import { ArrowRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import type { LabelScore } from '../../../session/api';
import { toErrorData } from '../../../stores/errors';
import { latestOnly } from '../../../stores/latest';
import { getSession } from '../../../stores/session';
import { runActive, useTraining } from '../../../stores/training';
import { classesText as text } from '../../text/classes';
import { Button } from '../../ui/Button';
import { Textarea } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatShare } from '../../util/format';
import { navigate } from '../../util/route';

/** Milliseconds after the last letter. */
const PAUSE = 120;

/** The classes with their probabilities, each in its place, so that the bars move and not the rows. */
function Bars({ scores, order }: { scores: LabelScore[]; order: string[] }) {
  const place = new Map(order.map((name, i) => [name, i]));
  const rows = scores.toSorted((a, b) => (place.get(a.label) ?? 1e9) - (place.get(b.label) ?? 1e9));
  const best = scores[0]?.label;
  return (
    <ul aria-label={text.probabilities} className="space-y-2.5">
      {rows.map(({ label, probability }) => (
        <li key={label}>
          <div className="flex items-baseline justify-between gap-4">
            <span className={`min-w-0 break-words ${label === best ? 'font-semibold' : ''}`}>{label}</span>
            <span className={label === best ? 'font-semibold' : 'text-muted'}>{formatShare(probability)}</span>
          </div>
          <div aria-hidden className="mt-1 h-3 overflow-hidden rounded-full bg-line">
            <div
              className="h-full rounded-full bg-series-1 transition-[width] duration-200 motion-reduce:transition-none"
              style={{ width: `${probability * 100}%` }}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** A text to sort, and what the trained model says of it as it is typed. `key` it by the run. */
export function TryClasses({ trained, stale, order }: { trained: boolean; stale: boolean; order: string[] }) {
  const active = useTraining(runActive);
  const [typed, setTyped] = useState('');
  const [scores, setScores] = useState<LabelScore[]>([]);
  const [error, setError] = useState<ErrorData | null>(null);
  const [asking] = useState(() => latestOnly());
  const answers = trained && !active;
  useEffect(() => {
    if (!answers || typed.trim() === '') {
      asking.cancel();
      setScores([]);
      return;
    }
    const timer = setTimeout(async () => {
      const result = await asking.run(() => getSession().classify(typed, 1));
      if (!result) return;
      if ('value' in result) setScores(result.value);
      setError('value' in result ? null : toErrorData(result.error, 'The text could not be sorted.'));
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [answers, typed, asking]);
  return (
    <Panel title={text.tryTitle}>
      <div className="space-y-3">
        <Textarea
          aria-label={text.tryLabel}
          placeholder={text.tryPlaceholder}
          rows={3}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {!trained && <p className="text-muted">{active ? text.waits : text.untrained}</p>}
        {trained && active && <p className="text-muted">{text.waits}</p>}
        {answers && stale && <p className="text-[0.8125rem] text-warn">{text.stale}</p>}
        {error && <ErrorNotice error={error} onDismiss={() => setError(null)} />}
        {/* Read out when the typing pauses, not at every letter. */}
        <p role="status" className="sr-only">
          {scores[0] && text.share(scores[0].label, formatShare(scores[0].probability))}
        </p>
        {scores.length > 0 && <Bars scores={scores} order={order} />}
        {answers && (
          <Button onClick={() => navigate('compare')} className="w-full">
            {text.export} <ArrowRight aria-hidden size={16} />
          </Button>
        )}
      </div>
    </Panel>
  );
}
