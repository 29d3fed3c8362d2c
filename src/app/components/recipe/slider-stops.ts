/** The three sliders of Simple: what each stop sets, and which stop a recipe is at. */
import { methodOf } from '../../../methods';
import { defaultOf } from '../../../recipe/defaults';
import type { RecipePath } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import { hintsFor } from '../../../stores/hints';
import { stopNames } from '../../text/recipe';

export interface Stop {
  name: string;
  values: Partial<Record<RecipePath, number>>;
}

const { strengths: names, cares: careNames } = stopNames;

/** What the slider sets besides the learning rate, stop by stop. */
function sizes({ method }: Recipe): Stop['values'][] {
  const { sizes: own } = methodOf(method);
  if (!own) return names.map(() => ({}));
  return own.stops.map((values) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [`method.${key}`, value])),
  );
}

/** The size that the strength slider shows, followed by a comma; empty for methods without one. */
export function sizeOf({ method }: Recipe): string {
  const { sizes: own } = methodOf(method);
  return own ? `${own.words(method)}, ` : '';
}

/** Size and learning rate rise together, from what suits method and model. */
export function strengthsFor(recipe: Recipe): Stop[] {
  const path = 'training.learning_rate';
  const suits = Number(hintsFor(recipe)[path] ?? defaultOf(path, recipe));
  const shares = [0.5, 0.5, 1, 1.5, 2.5];
  const alone = [0.25, 0.5, 1, 2, 4];
  return sizes(recipe).map((size, i) => {
    const share = Object.keys(size).length > 0 ? shares[i]! : alone[i]!;
    return { name: names[i]!, values: { ...size, [path]: Number((suits * share).toPrecision(3)) } };
  });
}

/** How much is held out to measure on, and how soon a run that no longer improves is ended. */
export const cares: Stop[] = [
  { name: careNames.off, values: { 'dataset.validation_split': 0, 'training.early_stopping_patience': 0 } },
  { name: careNames.little, values: { 'dataset.validation_split': 0.05, 'training.early_stopping_patience': 5 } },
  { name: careNames.normal, values: { 'dataset.validation_split': 0.1, 'training.early_stopping_patience': 3 } },
  { name: careNames.very, values: { 'dataset.validation_split': 0.2, 'training.early_stopping_patience': 2 } },
];

function read(recipe: Recipe, path: string): unknown {
  const [section, key] = path.split('.') as [keyof Recipe, string];
  return (recipe[section] as unknown as Record<string, unknown>)[key];
}

/** The stop whose values the recipe has; -1 when it has others. */
export function stopOf(recipe: Recipe, stops: Stop[]): number {
  return stops.findIndex(({ values }) => Object.entries(values).every(([path, value]) => read(recipe, path) === value));
}

/** The stop nearest by its first value, for a slider that stands between. */
export function nearestStop(recipe: Recipe, stops: Stop[]): number {
  const exact = stopOf(recipe, stops);
  if (exact >= 0) return exact;
  let best = 0;
  let distance = Infinity;
  stops.forEach(({ values }, i) => {
    const [path, value] = Object.entries(values)[0]!;
    const away = Math.abs(Number(read(recipe, path)) - (value ?? 0));
    if (away < distance) {
      best = i;
      distance = away;
    }
  });
  return best;
}
