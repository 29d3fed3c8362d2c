/** Whether a choice works with the rest of the recipe and the open model, checked before it is made. */
import type { ErrorData } from '../../../base/errors';
import { combinationProblems } from '../../../recipe/compatibility';
import { checkRecipe } from '../../../recipe/defaults';
import { withValue } from '../../../recipe/diff';
import type { RecipePath } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import type { ModelInfo } from '../../../session/api';

const key = ({ where, message }: ErrorData) => `${where} ${message}`;

function problemsOf(recipe: Recipe, model: ModelInfo | null): ErrorData[] {
  const { problems } = checkRecipe(recipe);
  const known = new Set(problems.map(key));
  const more = model ? combinationProblems(recipe, model).filter((problem) => !known.has(key(problem))) : [];
  return [...more, ...problems];
}

/** Filled in once the choice is made: before that, nobody can. */
const filledIn: readonly string[] = ['objective.rewards'] satisfies RecipePath[];

/** The first problem that another recipe would have and this one does not have now. */
export function refusalOfRecipe(recipe: Recipe, other: Recipe, model: ModelInfo | null): ErrorData | null {
  const now = new Set(problemsOf(recipe, model).map(key));
  return (
    problemsOf(other, model).find((problem) => !now.has(key(problem)) && !filledIn.includes(problem.where ?? '')) ??
    null
  );
}

/** The first problem that this value would cause and that the recipe does not have now. */
export function refusalOf(recipe: Recipe, path: RecipePath, value: unknown, model: ModelInfo | null): ErrorData | null {
  return refusalOfRecipe(recipe, withValue(recipe, path, value), model);
}

/** A refusal as a sentence on a card of `path`; it names the field to change if that is another one. */
export function refusalText({ where, message, action }: ErrorData, path: RecipePath): string {
  const sentence = where === path ? `${message.charAt(0).toUpperCase()}${message.slice(1)}` : `${where}: ${message}`;
  return [sentence, action].filter(Boolean).join(' ');
}
