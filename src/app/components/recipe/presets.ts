/** The three sliders of Simple: what each stop sets, and which stop a recipe stands on. */
import { defaultOf } from '../../../recipe/defaults';
import type { RecipePath } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import { hintsFor } from '../../../stores/hints';

export interface Stop {
  name: string;
  values: Partial<Record<RecipePath, number>>;
}

/** Rank, its alpha at twice the rank, and the learning rate, from what suits the model, rise together. */
export function strengthsFor(recipe: Recipe): Stop[] {
  const suits = Number(hintsFor(recipe)['training.learning_rate'] ?? defaultOf('training.learning_rate', recipe));
  const stop = (name: string, r: number, share: number): Stop => ({
    name,
    values: {
      'method.r': r,
      'method.lora_alpha': 2 * r,
      'training.learning_rate': Number((suits * share).toPrecision(3)),
    },
  });
  return [
    stop('Very light', 4, 0.5),
    stop('Light', 8, 0.5),
    stop('Normal', 16, 1),
    stop('Strong', 32, 1.5),
    stop('Very strong', 64, 2.5),
  ];
}

/** How much is held out to measure on, and how soon a run that no longer improves is ended. */
export const cares: Stop[] = [
  { name: 'Off', values: { 'dataset.validation_split': 0, 'training.early_stopping_patience': 0 } },
  { name: 'A little', values: { 'dataset.validation_split': 0.05, 'training.early_stopping_patience': 5 } },
  { name: 'Normal', values: { 'dataset.validation_split': 0.1, 'training.early_stopping_patience': 3 } },
  { name: 'Very', values: { 'dataset.validation_split': 0.2, 'training.early_stopping_patience': 2 } },
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
