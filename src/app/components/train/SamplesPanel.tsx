import type { SampleAnswer } from '../../../storage/types';
import { useTraining } from '../../../stores/training';
import { Panel } from '../../ui/Panel';

function byStep(samples: SampleAnswer[]): [number, SampleAnswer[]][] {
  const steps = new Map<number, SampleAnswer[]>();
  for (const sample of samples) steps.set(sample.step, [...(steps.get(sample.step) ?? []), sample]);
  return [...steps];
}

/** What the model answers as it learns, beside what it answered before. The newest stands on top. */
export function SamplesPanel() {
  const samples = useTraining((state) => state.samples);
  if (samples.length === 0) return null;
  return (
    <Panel title="Sample answers" description="The same few prompts, answered at every evaluation." flush>
      <div
        role="log"
        aria-label="Sample answers"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        className="flex max-h-112 flex-col-reverse justify-end overflow-auto border-t"
      >
        {byStep(samples).map(([step, answers]) => (
          <div key={step} className="border-b px-4 py-3 first:border-b-0">
            <h3 className="text-[0.8125rem] font-medium text-muted">Step {step}</h3>
            <ul className="mt-1 space-y-3">
              {answers.map(({ prompt, base, tuned }) => (
                <li key={prompt}>
                  <p className="font-medium break-words whitespace-pre-wrap">{prompt}</p>
                  <dl className="mt-1 grid gap-x-6 gap-y-1 sm:grid-cols-2">
                    <div>
                      <dt className="text-[0.8125rem] text-muted">Base</dt>
                      <dd className="break-words whitespace-pre-wrap text-muted">{base || '(no answer)'}</dd>
                    </div>
                    <div className="border-l-2 border-accent pl-3 sm:-ml-3">
                      <dt className="text-[0.8125rem] text-muted">Tuned</dt>
                      <dd className="break-words whitespace-pre-wrap">{tuned || '(no answer)'}</dd>
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
