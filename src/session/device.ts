/** What the engine says of its GPU. */
import type { DeviceReport } from './api';
import type { EngineHost, Limit } from './engine-host';

/** The engine gives up on a silent browser before that, with a better sentence. */
const limit: Limit = {
  milliseconds: 90_000,
  words: {
    message: 'The GPU could not be opened within 90 seconds.',
    where: 'WebGPU',
    action: 'Restart the browser. If it happens again, update the graphics driver.',
  },
};

/** Cached, except for a machine without WebGPU, because a setting may change. */
export function deviceOf(engine: EngineHost): () => Promise<DeviceReport> {
  let known: Promise<DeviceReport> | null = null;
  return async () => {
    known ??= engine.watch((api) => api.device(), limit);
    try {
      const report = await known;
      if (report.problem) known = null;
      return report;
    } catch (cause) {
      known = null;
      throw cause;
    }
  };
}
