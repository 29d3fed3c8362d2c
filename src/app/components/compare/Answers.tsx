import { LoaderCircle } from 'lucide-react';
import { useId } from 'react';
import { type Answer, sorts, useCompare } from '../../../stores/compare';
import { useFields } from '../../../stores/select';
import { compareText, answerText as text } from '../../text/compare';
import { cx } from '../../util/cx';
import { Scores } from './Scores';

const notes: Record<Answer['state'], string> = {
  empty: '',
  waiting: text.waiting,
  writing: text.writing,
  done: '',
  stopped: text.stopped,
};

function Column({ name, answer, hint, tuned }: { name: string; answer: Answer; hint: string; tuned?: boolean }) {
  const id = useId();
  const busy = answer.state === 'writing' || answer.state === 'waiting';
  return (
    <article
      aria-labelledby={id}
      aria-busy={busy}
      className={cx('flex min-h-40 min-w-0 flex-col rounded-lg border bg-surface', tuned && 'border-accent')}
    >
      <div className="flex items-center gap-3 border-b px-4 py-2">
        <h3 id={id} className="font-semibold">
          {name}
        </h3>
        <span className="ml-auto flex items-center gap-1.5 text-[0.8125rem] text-muted">
          {answer.state === 'writing' && <LoaderCircle aria-hidden size={14} className="animate-spin text-accent" />}
          {notes[answer.state]}
        </span>
      </div>
      {answer.scores ? (
        <div aria-live="polite">
          <Scores scores={answer.scores} tuned={tuned} />
        </div>
      ) : (
        <p
          aria-live={answer.state === 'done' ? 'polite' : 'off'}
          className={cx(
            'flex-1 px-4 py-3 text-[0.9375rem] leading-relaxed break-words whitespace-pre-wrap',
            answer.text === '' && 'text-muted',
          )}
        >
          {answer.text || (answer.state === 'empty' ? hint : answer.state === 'done' ? text.empty : text.pending)}
        </p>
      )}
    </article>
  );
}

/** The base's and the tuned model's answers, side by side. */
export function Answers() {
  const { base, tuned, adapter, asked } = useCompare(useFields('base', 'tuned', 'adapter', 'asked'));
  const sorting = sorts(adapter);
  return (
    <div className="space-y-2">
      {asked !== null && (
        <p className="break-words text-muted">
          {sorting ? compareText.text : text.asked}: <span className="text-ink">{asked}</span>
        </p>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <Column name={compareText.base} answer={base} hint={sorting ? text.baseHeadHint : text.baseHint} />
        <Column name={compareText.tuned} tuned answer={tuned} hint={adapter ? text.tunedHint : text.noAdapterHint} />
      </div>
    </div>
  );
}
