import type { ErrorData } from '../../../base/errors';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';

/** No usable WebGPU: what it is, and the few things that usually help. */
export function NoWebGpu({ problem }: { problem: ErrorData }) {
  return (
    <>
      <ErrorNotice error={problem} />
      <Panel title="How to get WebGPU">
        <p className="max-w-prose">
          Tabtune trains on your graphics card through WebGPU, a part of newer browsers. You can look around without it,
          but nothing can be trained.
        </p>
        <ul className="mt-2 max-w-prose list-disc space-y-1.5 pl-5">
          <li>
            <strong>Chrome or Edge 121 or newer</strong> on Windows, macOS or ChromeOS has it switched on.
          </li>
          <li>
            <strong>Linux:</strong> open <code className="font-mono text-[0.8125rem]">chrome://flags</code>, enable{' '}
            <em>Unsafe WebGPU</em> and <em>Vulkan</em>, and restart the browser.
          </li>
          <li>
            <strong>Still nothing?</strong> Open <code className="font-mono text-[0.8125rem]">chrome://gpu</code>:
            hardware acceleration may be off in the browser’s settings, or the graphics driver may be too old.
          </li>
          <li>
            <strong>Remote desktops and virtual machines</strong> often have no GPU to offer.
          </li>
        </ul>
      </Panel>
    </>
  );
}
