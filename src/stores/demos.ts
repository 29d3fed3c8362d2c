/** What a first visitor can try with one press: the built-in model on two of the built-in datasets. The first is chosen already. */
import { objectives } from '../objectives';
import type { RecipePath } from '../recipe/fields';
import { readAsDetected } from '../recipe/sections';
import type { ObjectiveType, Recipe } from '../recipe/types';
import { hintsFor } from './hints';

export interface Demo {
  name: 'sorting' | 'chat';
  dataset: string;
  /** Undefined for the default one. */
  objective: ObjectiveType | undefined;
  /** What suits its data better than what suits the tiny model; undefined for that. */
  learningRate: number | undefined;
  epochs: number | undefined;
}

export const demos: readonly [Demo, Demo] = [
  {
    name: 'sorting',
    dataset: 'builtin:feedback',
    objective: objectives.find(({ labels, models }) => labels === 'texts' && models === 'any')!.type,
    learningRate: undefined,
    epochs: undefined,
  },
  // Each answer once, at half the rate: a voice is soon learned, and what comes after costs facts (docs/FIRST-RUN.md).
  { name: 'chat', dataset: 'builtin:pirate', objective: undefined, learningRate: 1e-3, epochs: 1 },
];

/** What choosing a demo changes in a recipe that is otherwise a first visitor's. */
export const changesFor = (
  { dataset, objective, learningRate, epochs }: Demo,
  recipe: Pick<Recipe, 'model' | 'method'>,
) =>
  ({
    'dataset.source': dataset,
    ...readAsDetected,
    'objective.type': objective,
    'training.learning_rate': learningRate ?? hintsFor(recipe)['training.learning_rate'],
    'training.num_train_epochs': epochs,
    name: undefined,
  }) satisfies Partial<Record<RecipePath, unknown>>;

export const isDemo = (demo: Demo, { dataset }: Pick<Recipe, 'dataset'>): boolean => dataset.source === demo.dataset;
