/** Which errors a run can go on after. */
import type { ErrorCode } from '../base/errors';

/** Interrupted from outside: the same run can be resumed. Anything else is the run's own failure. */
export const interruptions: readonly ErrorCode[] = [
  'gpu_lost',
  'gpu_out_of_memory',
  'worker_died',
  'timeout',
  'storage_full',
  'storage',
  'cancelled',
  // To be mended by the person, who can then go on.
  'bad_reward',
];

/** Resuming from the checkpoint would fail the same way. */
export const hopeless: readonly ErrorCode[] = ['not_finite', 'bad_data', 'bad_recipe', 'bad_model', 'bad_adapter'];
