import type { LabelScore } from '../../../session/api';
import { answerText } from '../../text/comparing';
import { formatMetric, formatShare } from '../../util/format';

/** A classifier's answer: labels with their probabilities, tagged words, or one number. */
export function Scores({
  scores,
  tuned = false,
  order = [],
}: {
  scores: LabelScore[];
  tuned?: boolean;
  /** Labels in the order of all columns; by default the likeliest first. */
  order?: readonly string[];
}) {
  if (scores.some(({ word }) => word !== undefined)) return <Words scores={scores} />;
  const [first] = scores;
  if (!first) return <p className="px-4 py-3 text-muted">{answerText.noClasses}</p>;
  // A regression has one score, which is not a probability.
  if (scores.length === 1) {
    return (
      <p className="px-4 py-3">
        <span className="text-2xl font-semibold tracking-tight">{formatMetric(first.probability)}</span>
        <span className="ml-2 text-muted">{first.label}</span>
      </p>
    );
  }
  const place = (label: string) => (order.includes(label) ? order.indexOf(label) : order.length);
  const rows = [...scores].sort((a, b) => place(a.label) - place(b.label));
  return (
    <ol className="space-y-2 px-4 py-3">
      {rows.slice(0, 12).map(({ label, probability }) => (
        <li key={label}>
          <div className="flex items-baseline justify-between gap-4">
            <span className={`min-w-0 break-words ${label === first.label ? 'font-semibold' : ''}`}>{label}</span>
            <span className={label === first.label ? 'font-semibold' : 'text-muted'}>{formatShare(probability)}</span>
          </div>
          <div aria-hidden className="mt-1 h-2 overflow-hidden rounded-full bg-line">
            <div
              className={`h-full rounded-full ${tuned ? 'bg-series-1' : 'bg-edge'}`}
              style={{ width: `${probability * 100}%` }}
            />
          </div>
        </li>
      ))}
      {scores.length > 12 && <li className="text-[0.8125rem] text-muted">{answerText.more(scores.length - 12)}</li>}
    </ol>
  );
}

/** The text, with a tag after every word that has one. */
function Words({ scores }: { scores: LabelScore[] }) {
  return (
    <p className="flex flex-wrap gap-x-1.5 gap-y-2 px-4 py-3 text-[0.9375rem]">
      {scores.map(({ word, label, probability }, i) =>
        label === 'O' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: words repeat, and their order does not change.
          <span key={i} className="py-0.5">
            {word}
          </span>
        ) : (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: as above.
            key={i}
            className="rounded border border-accent/40 bg-accent-soft px-1.5 py-0.5"
            title={formatShare(probability)}
          >
            {word} <span className="text-xs font-semibold text-accent-strong">{label}</span>
          </span>
        ),
      )}
    </p>
  );
}
