/** For model cards: the result of a recipe in words and as Hub tags. */
import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { Recipe } from '../recipe/types';

/** "A LoRA adapter", or "A DoRA adapter" if DoRA was used. */
export const methodWords = ({ method }: Pick<Recipe, 'method'>): string => methodOf(method).noun(method);

/** The Hub's `pipeline_tag`. */
export const pipelineTag = ({ objective }: Pick<Recipe, 'objective'>): string => objectiveOf(objective).pipelineTag;

/** Whether the loss is per token and so has a perplexity. */
export const isLanguageModelling = ({ objective }: Pick<Recipe, 'objective'>): boolean =>
  objectiveOf(objective).learns !== 'labels';
