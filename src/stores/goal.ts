/** The goal follows the data until a person chooses one: labels are sorted, tagged words are tagged, plain text is read. */
import type { ErrorData } from '../base/errors';
import type { ParsedDataset } from '../data/types';
import { defaultObjective, objectiveOf, objectiveOfGoal, objectives } from '../objectives';
import { combinationProblems } from '../recipe/compatibility';
import { checkRecipe } from '../recipe/defaults';
import { withValue } from '../recipe/diff';
import type { RecipePath } from '../recipe/fields';
import type { CombinedModel } from '../recipe/spec';
import type { ObjectiveType, Recipe } from '../recipe/types';

type Changes = Partial<Record<RecipePath, unknown>>;

/** The objective that data of this shape are made for, of those that this kind of model learns. */
export function objectiveForData(format: ParsedDataset['format'], kind: CombinedModel['kind']): ObjectiveType | null {
  const made = objectives.find(({ goal }) => goal.formats.includes(format));
  return made ? objectiveOfGoal(made.goal, kind).type : null;
}

/** What to change so that the recipe has the data's goal; null if it has it, or if the model cannot learn it. */
export function changesForData(recipe: Recipe, format: ParsedDataset['format'], model: CombinedModel): Changes | null {
  const wanted = objectiveForData(format, model.kind);
  if (wanted === null || wanted === recipe.objective.type) return null;
  const changes: Changes = { 'objective.type': wanted === defaultObjective ? undefined : wanted };
  const key = ({ where, message }: ErrorData) => `${where} ${message}`;
  const known = new Set(problemsOf(recipe, model).map(key));
  for (const problem of problemsOf(withValue(recipe, 'objective.type', wanted), model)) {
    const { where = '' } = problem;
    if (known.has(key(problem))) continue;
    // This model cannot learn it: the goal that it has is no worse.
    if (where === 'objective.type' || where.startsWith('model.')) return null;
    // A setting that was made for another goal gives way to its default.
    if (where.includes('.')) changes[where as RecipePath] = undefined;
  }
  return changes;
}

const problemsOf = (recipe: Recipe, model: CombinedModel): ErrorData[] => [
  ...combinationProblems(recipe, model),
  ...checkRecipe(recipe).problems,
];

/** Whether the goal is the one that data of this shape are made for. */
export const suitsData = ({ objective }: Recipe, format: ParsedDataset['format']): boolean =>
  objectiveOf(objective).goal.formats.includes(format);
