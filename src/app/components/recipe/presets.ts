/** The three sliders of Simple: what each stop sets, and which stop a recipe stands on. */
import type { RecipePath } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';

export interface Stop {
  name: string;
  values: Partial<Record<RecipePath, number>>;
}

/** Rank, its alpha at twice the rank, and the learning rate rise together. */
export const strengths: Stop[] = [
  { name: 'Very light', values: { 'method.r': 4, 'method.lora_alpha': 8, 'training.learning_rate': 1e-4 } },
  { name: 'Light', values: { 'method.r': 8, 'method.lora_alpha': 16, 'training.learning_rate': 1e-4 } },
  { name: 'Normal', values: { 'method.r': 16, 'method.lora_alpha': 32, 'training.learning_rate': 2e-4 } },
  { name: 'Strong', values: { 'method.r': 32, 'method.lora_alpha': 64, 'training.learning_rate': 3e-4 } },
  { name: 'Very strong', values: { 'method.r': 64, 'method.lora_alpha': 128, 'training.learning_rate': 5e-4 } },
];

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
