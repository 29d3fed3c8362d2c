import { useLayoutEffect, useMemo, useRef } from 'react';
import type { AnswerScores, SampleAnswer } from '../../../storage/types';
import { useChartView } from '../../../stores/chart-view';
import { useTraining } from '../../../stores/training';
import { sampleText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';

interface Evaluation {
  step: number;
  answers: SampleAnswer[];
}

function byStep(samples: SampleAnswer[]): Evaluation[] {
  const evaluations = new Map<number, Evaluation>();
  for (const sample of samples) {
    const known = evaluations.get(sample.step);
    if (known) known.answers.push(sample);
    else evaluations.set(sample.step, { step: sample.step, answers: [sample] });
  }
  return [...evaluations.values()];
}

/** How close an answer is to the example's own. */
function Similarity({ scores }: { scores: AnswerScores | undefined }) {
  if (!scores) return null;
  const shown = scores.exact_match === 1 ? text.exactMatch : text.rouge(scores.rouge_l.toFixed(2));
  return <span className="ml-2 tabular-nums">{shown}</span>;
}

function Answers({ step, answers }: Evaluation) {
  return (
    <div className="border-b px-4 py-3 first:border-b-0">
      <h3 className="text-[0.8125rem] font-medium text-muted">{text.step(step)}</h3>
      <ul className="mt-1 space-y-3">
        {answers.map(({ prompt, base, tuned, scores }) => (
          <li key={prompt}>
            <p className="font-medium break-words whitespace-pre-wrap">{prompt}</p>
            <dl className="mt-1 grid gap-x-6 gap-y-1 sm:grid-cols-2">
              <div>
                <dt className="text-[0.8125rem] text-muted">
                  {text.base}
                  <Similarity scores={scores?.base} />
                </dt>
                <dd className="break-words whitespace-pre-wrap text-muted">{base || text.noAnswer}</dd>
              </div>
              <div className="border-l-2 border-accent pl-3 sm:-ml-3">
                <dt className="text-[0.8125rem] text-muted">
                  {text.tuned}
                  <Similarity scores={scores?.tuned} />
                </dt>
                <dd className="break-words whitespace-pre-wrap">{tuned || text.noAnswer}</dd>
              </div>
            </dl>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the model answers as it learns, next to the base's answers. The newest are on top. */
export function SamplesPanel() {
  const samples = useTraining((state) => state.samples);
  const evaluations = useMemo(() => byStep(samples), [samples]);
  // Under the cursor of a chart: what the model answered then.
  const then = useChartView(({ step }) => (step === null ? null : evaluations.findLast((one) => one.step <= step)));
  const box = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const shown = then ? [then] : evaluations;
  useLayoutEffect(() => {
    if (!then && box.current) height.current = box.current.offsetHeight;
  });
  if (samples.length === 0) return null;
  return (
    <Panel title={text.title} description={text.description} aside={then && <ThenNote step={then.step} />} flush>
      <div
        ref={box}
        role="log"
        aria-label={text.title}
        // Moving the cursor is no news.
        aria-live={then ? 'off' : undefined}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        tabIndex={0}
        className="flex max-h-112 flex-col-reverse justify-end overflow-auto border-t"
        // What is below must not jump while the cursor moves.
        style={then ? { height: height.current } : undefined}
      >
        {shown.map((evaluation) => (
          <Answers key={evaluation.step} {...evaluation} />
        ))}
      </div>
    </Panel>
  );
}

function ThenNote({ step }: { step: number }) {
  return <span className="text-[0.8125rem] text-muted">{text.underCursor(step)}</span>;
}
