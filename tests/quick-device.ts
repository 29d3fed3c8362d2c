/** How much a submit carries follows from how long work takes, which on a busy machine is long. */
import { vi } from 'vitest';
import type { Recordings } from '../src/engine/webgpu/recording';

/** Until mocks are restored, recordings are submitted as on a device that needs a millisecond for whatever they measure. */
export function pretendQuick(recordings: typeof Recordings): void {
  const { measured } = recordings.prototype;
  vi.spyOn(recordings.prototype, 'measured').mockImplementation(function (this: Recordings, _seconds, dispatches) {
    measured.call(this, 1e-3, dispatches);
  });
}
