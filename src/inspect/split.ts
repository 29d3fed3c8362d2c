/** How examples are held out for validation: counted here before there are tokens, and put into words. */
import { requireKind, usable } from '../data/encode-dataset';
import { togetherKey } from '../data/example-kinds';
import { isPreference } from '../data/preference-parts';
import { ProblemList } from '../data/problems';
import { ownSplit } from '../data/split';
import { splitWithoutLeaks } from '../data/split-leaks';
import type { ParsedDataset } from '../data/types';
import { objectiveOf } from '../objectives';
import type { Settings } from './options';

export interface SplitReport {
  train: number;
  validation: number;
  how: string;
}

/**
 * The split of the examples as read. With a model it can be smaller: rows that its template refuses, or that have nothing to
 * learn within its context, are known only then. Throws bad_data if the objective cannot learn from them.
 */
export function splitOf(dataset: ParsedDataset, { dataset: section, objective: learned, seed }: Settings) {
  const objective = objectiveOf(learned).data(learned);
  requireKind(dataset, objective);
  const problems = new ProblemList();
  const examples = dataset.examples.filter((example) => {
    const refused = objective.refuse?.(example);
    if (refused) problems.add(refused);
    return !refused;
  });
  const { strata, problems: unread } = objective.label(usable(dataset, examples));
  problems.addAll(unread);
  const splitKeys = examples.map((example) => objective.splitKey?.(example) ?? togetherKey(example));
  const sides = examples.map((example) => example.split);
  const { train, validation } = splitWithoutLeaks(examples, { sides, splitKeys, strata }, section, seed, problems);
  const split = { train: train.length, validation: validation.length };
  return { split, stratified: strata !== undefined, problems: problems.list() };
}

export function howSplit(
  { examples }: ParsedDataset,
  { dataset: { validation_split, shuffle }, seed }: Settings,
  stratified: boolean,
): string {
  if (validation_split === 0) return 'Nothing is held out: validation_split is 0.';
  if (ownSplit(examples.map((example) => example.split))) return 'As the file says.';
  const percent = Number((validation_split * 100).toFixed(2));
  const which = shuffle ? `drawn with seed ${seed}` : 'the last ones of the file';
  const classes = stratified ? ', the same share of every class' : '';
  const together = examples.some(isPreference) ? 'answers to one prompt' : 'equal examples';
  return `${percent} % of the examples, ${which}${classes}; ${together} stay on one side.`;
}
