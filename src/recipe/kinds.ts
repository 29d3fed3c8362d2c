/** What methods and objectives have in common, for everyone who treats several of them alike. */
import type { MethodType, ObjectiveType } from './types';

/** Methods that train the model's own weights, all of them in the end. */
export const trainsWeights = (type: MethodType): boolean => type === 'full' || type === 'gradual_unfreezing';

/** Methods that leave a model, and nothing apart from it. */
export const leavesModel = (type: MethodType): boolean => trainsWeights(type) || type === 'head';

/** Methods whose learned places stand before every text. */
export const addsPlaces = (type: MethodType): boolean =>
  type === 'prompt_tuning' || type === 'p_tuning' || type === 'prefix_tuning';

/** Objectives that put a new head of labels on the model. */
export const sortsByLabel = (type: ObjectiveType): boolean =>
  type === 'sequence_classification' || type === 'token_classification';

/** Objectives that learn to write text. */
export const writesText = (type: ObjectiveType): boolean => type === 'sft' || type === 'pretraining';
