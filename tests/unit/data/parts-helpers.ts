import { defaultSection, objectiveOf, textObjective } from '../../../src/objectives';
import type { DatasetSection } from '../../../src/recipe/types';
import { apiWith, STORIES, section, tokenizerFiles } from './helpers';

/** A dataset that was opened with the built-in model's tokeniser, to be tokenised for the usual objective. */
export function apiOf(name: string, content: string) {
  const api = apiWith(tokenizerFiles(STORIES), name, content);
  const objective = defaultSection(objectiveOf({ type: textObjective('decoder').type }));
  return { tokenize: (changes: Partial<DatasetSection>) => api.tokenize(section(changes), objective, 512, 1) };
}
