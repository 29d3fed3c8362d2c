import type { AnswerScores, SampleAnswer } from '../../../storage/types';
import { useTraining } from '../../../stores/training';
import { sampleText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';

function byStep(samples: SampleAnswer[]): [number, SampleAnswer[]][] {
  const steps = new Map<number, SampleAnswer[]>();
  for (const sample of samples) steps.set(sample.step, [...(steps.get(sample.step) ?? []), sample]);
  return [...steps];
}

/** How close an answer is to the example's own. */
function Similarity({ scores }: { scores: AnswerScores | undefined }) {
  if (!scores) return null;
  const shown = scores.exact_match === 1 ? text.exactMatch : text.rouge(scores.rouge_l.toFixed(2));
  return <span className="ml-2 tabular-nums">{shown}</span>;
}

/** What the model answers as it learns, next to the base's answers. The newest are on top. */
export function SamplesPanel() {
  const samples = useTraining((state) => state.samples);
  if (samples.length === 0) return null;
  return (
    <Panel title={text.title} description={text.description} flush>
      <div
        role="log"
        aria-label={text.title}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        tabIndex={0}
        className="flex max-h-112 flex-col-reverse justify-end overflow-auto border-t"
      >
        {byStep(samples).map(([step, answers]) => (
          <div key={step} className="border-b px-4 py-3 first:border-b-0">
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
        ))}
      </div>
    </Panel>
  );
}
