/** The engine's connections with the kernels that were asked for. */
import { type ErrorData, TabtuneError } from '../base/errors';
import { readKernels } from '../base/kernels';
import type { Connection } from '../rpc/rpc';
import type { EngineApi } from '../workers/engine/api';

interface Start {
  start: () => Connection<EngineApi>;
  /** Why what was asked for cannot be. */
  problem: ErrorData | null;
}

/** Every worker is told before anything else, so that a restarted one computes as the first. */
export function withKernels(
  start: () => Connection<EngineApi>,
  asked: { text: string; where: string } | undefined,
): Start {
  try {
    const kernels = asked ? readKernels(asked.text, asked.where) : 'auto';
    if (kernels === 'auto') return { start, problem: null };
    const told = () => {
      const connection = start();
      // A worker that has died says so to whoever asks next.
      void connection.api.useKernels(kernels).catch(() => {});
      return connection;
    };
    return { start: told, problem: null };
  } catch (cause) {
    return { start, problem: TabtuneError.from(cause, { code: 'bad_option', message: String(cause) }).toData() };
  }
}
