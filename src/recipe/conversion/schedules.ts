/** Schedules of the learning rate in transformers, which has all of a recipe's under the same names but one. */
import type { LrSchedulerType } from '../sections';

/** ULMFiT's. */
const OURS = 'slanted_triangular';

/** Its name in transformers; null if it has no such schedule. */
export const inTransformers = (type: LrSchedulerType): string | null => (type === OURS ? null : type);
