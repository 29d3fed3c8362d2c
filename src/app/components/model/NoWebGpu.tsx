import type { ErrorData } from '../../../base/errors';
import { modelText } from '../../text/model';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Rich } from '../../ui/Rich';

/** No usable WebGPU: what that means, and what usually helps; or what was asked for that this device cannot do. */
export function NoWebGpu({ problem }: { problem: ErrorData }) {
  const { title, text, steps } = modelText.noWebGpu;
  return (
    <>
      <ErrorNotice error={problem} />
      {problem.code === 'no_webgpu' && (
        <Panel title={title}>
          <p className="max-w-prose">{text}</p>
          <ul className="mt-2 max-w-prose list-disc space-y-1.5 pl-5">
            {steps.map((step) => (
              <li key={step}>
                <Rich text={step} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
