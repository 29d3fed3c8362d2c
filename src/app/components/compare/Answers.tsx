import { Check, Copy, LoaderCircle, X } from 'lucide-react';
import { useId, useState } from 'react';
import { exactMatch, rougeL } from '../../../metrics';
import { useCompare } from '../../../stores/compare';
import { type Answer, answerOf, useComparing } from '../../../stores/comparing';
import { useModel } from '../../../stores/model';
import { isNumber, answerText as plainAnswer } from '../../../stores/prompt-sets';
import { useFields } from '../../../stores/select';
import { columnText, compareText, shotsText, sideText, answerText as text } from '../../text/comparing';
import { Badge } from '../../ui/Badge';
import { IconButton } from '../../ui/IconButton';
import { ErrorNotice } from '../../ui/Notice';
import { cx } from '../../util/cx';
import { AddColumn, ColumnChoice } from './ColumnChoice';
import { FewShotChoice } from './FewShotChoice';
import { Scores } from './Scores';
import { type ShownColumn, useColumns } from './useColumns';

const notes: Record<Answer['state'], string> = {
  empty: '',
  waiting: text.waiting,
  writing: text.writing,
  done: '',
  stopped: text.stopped,
};

/** The answers to one prompt side by side, and what stands in each column. */
export function Answers() {
  const { answers, asked, inTurn } = useComparing(useFields('answers', 'asked', 'inTurn'));
  const adapter = useCompare((state) => state.adapter);
  const { columns, models, task, judging } = useColumns();
  const sorting = task === 'sorts';
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  const order = labelOrder(answers);
  const hintOf = ({ fewShot, name }: ShownColumn) => {
    if (fewShot) return shotsText.columnHint;
    if (name !== null) return text.tunedHint;
    return sorting ? text.baseHeadHint : text.baseHint;
  };
  return (
    <div className="space-y-3">
      {asked !== null && (
        <div className="space-y-0.5">
          <p className="break-words text-muted">
            {sorting && !judging ? compareText.text : text.asked}: <span className="text-ink">{asked.text}</span>
          </p>
          {(asked.side || asked.expected !== undefined) && (
            <p className="flex flex-wrap items-baseline gap-x-2 gap-y-1 break-words text-[0.8125rem] text-muted">
              {asked.side && (
                <Badge tone={asked.side === 'trained' ? 'warning' : 'accent'}>{sideText[asked.side]}</Badge>
              )}
              {asked.expected !== undefined && (
                <span className="min-w-0 whitespace-pre-wrap">
                  {judging ? compareText.answer : text.reference}: <span className="text-ink">{asked.expected}</span>
                </span>
              )}
            </p>
          )}
        </div>
      )}
      {inTurn && <p className="text-[0.8125rem] text-muted">{text.inTurn}</p>}
      <div className={cx('grid gap-4 sm:grid-cols-2', columns.length === 3 && 'lg:grid-cols-3')}>
        {columns.map((column, i) => (
          <Column
            key={`${column.id} ${column.fewShot}`}
            column={column}
            answer={answerOf(answers, i)}
            expected={asked?.expected}
            hint={hintOf(column)}
            order={order}
            removable={models.length > 1 && column.place !== null}
          />
        ))}
        {!adapter && models.every(({ name }) => name === null) && <Waiting />}
      </div>
      <div className="flex flex-col gap-x-6 gap-y-3 sm:flex-row">
        <AddColumn />
        {!encoder && !judging && <FewShotChoice />}
      </div>
    </div>
  );
}

/** One order for all columns, so that a label is beside itself: the likeliest over all of them first. */
function labelOrder(answers: readonly Answer[]): string[] {
  const sums = new Map<string, number>();
  for (const { scores = [] } of answers) {
    for (const { label, probability } of scores) sums.set(label, (sums.get(label) ?? 0) + probability);
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([label]) => label);
}

const frame = 'flex min-h-40 min-w-0 flex-col rounded-lg border bg-surface';

/** Where the tuned model will answer. */
function Waiting() {
  const id = useId();
  return (
    <article aria-labelledby={id} className={frame}>
      <h3 id={id} className="border-b px-4 py-2 font-semibold">
        {compareText.tuned}
      </h3>
      <p className="px-4 py-3 text-[0.9375rem] text-muted">{text.noAdapterHint}</p>
    </article>
  );
}

function Column({
  column,
  answer,
  expected,
  hint,
  order,
  removable,
}: {
  column: ShownColumn;
  answer: Answer;
  expected: string | undefined;
  hint: string;
  order: readonly string[];
  removable: boolean;
}) {
  const id = useId();
  const remove = useComparing((state) => state.remove);
  const busy = answer.state === 'writing' || answer.state === 'waiting';
  const tuned = column.name !== null;
  const { place } = column;
  return (
    <article aria-labelledby={id} aria-busy={busy} className={cx(frame, tuned && 'border-accent')}>
      <div className="space-y-1.5 border-b px-4 py-2">
        <div className="flex min-h-7 items-center gap-3">
          <h3 id={id} className="min-w-0 font-semibold wrap-anywhere">
            {column.title}
          </h3>
          <span className="ml-auto flex items-center gap-1.5 text-[0.8125rem] text-muted">
            {busy && <LoaderCircle aria-hidden size={14} className="animate-spin text-accent" />}
            {notes[answer.state]}
          </span>
          {answer.state === 'done' && !answer.error && <CopyButton text={plainAnswer(answer)} />}
          {removable && place !== null && (
            <IconButton icon={X} size="small" label={columnText.remove(column.title)} onClick={() => remove(place)} />
          )}
        </div>
        {place !== null && <ColumnChoice place={place} model={column.id} />}
        {column.fewShot && <ShotsNote />}
      </div>
      {answer.error ? (
        <div className="p-3">
          <ErrorNotice error={answer.error} />
        </div>
      ) : answer.scores ? (
        <div aria-live="polite">
          <Scores scores={answer.scores} tuned={tuned} order={order} />
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
      {answer.state === 'done' && !answer.error && expected !== undefined && !isNumber(answer) && (
        <div className="border-t px-4 py-1.5 text-[0.8125rem] text-muted">
          {exactMatch(plainAnswer(answer), expected) === 1
            ? text.exact
            : text.rouge(rougeL(plainAnswer(answer), expected).f1)}
        </div>
      )}
    </article>
  );
}

/** How many examples the base was given, and the prompt as it read it. */
function ShotsNote() {
  const { fewShot, shots } = useComparing(useFields('fewShot', 'shots'));
  if (!fewShot) return <span className="block text-[0.8125rem] text-muted">{shotsText.columnHint}</span>;
  return (
    <details className="text-[0.8125rem]">
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">
        {shotsText.fit(fewShot.shots.length, shots, fewShot.tokens)}
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <pre tabIndex={0} className="mt-1 max-h-60 overflow-auto whitespace-pre-wrap break-words font-mono text-xs">
        {fewShot.text}
      </pre>
    </details>
  );
}

function CopyButton({ text: copied }: { text: string }) {
  const [done, setDone] = useState(false);
  return (
    <IconButton
      icon={done ? Check : Copy}
      size="small"
      label={done ? text.copied : text.copy}
      onClick={async () => {
        await navigator.clipboard.writeText(copied);
        setDone(true);
        setTimeout(() => setDone(false), 2000);
      }}
    />
  );
}
