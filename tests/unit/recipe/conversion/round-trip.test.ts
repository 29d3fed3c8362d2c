import { describe, expect, test } from 'vitest';
import { yamlText } from '../../../../src/exports/trainers/config/yaml';
import { importConfig } from '../../../../src/recipe/conversion/import';
import { commonRows, typeIn, typesIn } from '../../../../src/recipe/conversion/registry';
import type { Entry, Run, RunFacts, TrainerId } from '../../../../src/recipe/conversion/types';
import { nested, recipeRefusal, writeConfig } from '../../../../src/recipe/conversion/write';
import { fill } from '../../../../src/recipe/defaults';
import { applies, type RecipePath, valueAt } from '../../../../src/recipe/fields';
import type { Recipe } from '../../../../src/recipe/types';
import { recipeAtRandom } from './recipes';

const factsFor = ({ model, dataset, training }: Recipe): RunFacts => {
  const [name, revision] = model.source.slice('hf:'.length).split('@') as [string, string | undefined];
  return {
    base: { name, revision: revision ?? null },
    maxLength: dataset.max_length === 'auto' ? 777 : dataset.max_length,
    steps: training.max_steps > 0 ? training.max_steps : 120,
    validates: true,
    dropout: true,
    transposed: null,
    initialAdapter: null,
  };
};

const entriesOf = (trainer: TrainerId, recipe: Recipe): [RecipePath, Entry][] => [
  ...(['method', 'objective'] as const).flatMap((section) =>
    Object.entries(typeIn(trainer, section, recipe[section].type)!.fields).map(
      ([key, entry]) => [`${section}.${key}`, entry] as [RecipePath, Entry],
    ),
  ),
  ...commonRows.flatMap(([path, row]) => (row[trainer] ? [[path, row[trainer]] as [RecipePath, Entry]] : [])),
];

/** What a field comes back as, where that is another value for a reason that is no loss. */
function cameBackAs(path: RecipePath, recipe: Recipe, facts: RunFacts): unknown {
  switch (path) {
    case 'name':
      return recipe.name.replace(/[^\w.-]+/g, '-');
    case 'dataset.max_length':
      return facts.maxLength;
    case 'training.gradient_checkpointing':
      return recipe.training.gradient_checkpointing !== false;
    default:
      return valueAt(recipe, path);
  }
}

const combinations = (trainer: TrainerId) =>
  typesIn(trainer, 'method').flatMap(({ type: method }) =>
    typesIn(trainer, 'objective').map(({ type: objective }) => [method, objective] as const),
  );

describe.each(['axolotl', 'llamafactory', 'trl'] as const)('%s', (trainer) => {
  test.each(combinations(trainer))('%s × %s comes back as it went', (method, objective) => {
    let compared = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const recipe = recipeAtRandom(method, objective, seed);
      if (recipeRefusal(trainer, recipe) !== null) continue;
      const facts = factsFor(recipe);
      const { sections } = writeConfig(trainer, recipe, facts);
      const flat = Object.assign({}, ...Object.values(sections)) as Record<string, unknown>;
      const text = yamlText(['a recipe'], [{ title: 'all', values: nested(flat) }]);
      // TRL's file does not say which of its trainers is meant.
      const back = importConfig(text, trainer === 'trl' ? `${objective}.yaml` : 'config.yaml');
      expect(back.trainer, text).toBe(trainer);
      const whole = fill(back.input);
      const run: Run = {
        recipe,
        facts,
        warmupInSteps: typeIn(trainer, 'objective', objective)!.warmupInSteps === true,
      };
      for (const [path, entry] of entriesOf(trainer, recipe)) {
        if (!entry.write || !entry.read || !applies(path, recipe)) continue;
        // A value that is said to be lost is not expected back.
        if (entry.lost?.(valueAt(recipe, path), run) && path !== 'dataset.shuffle') continue;
        const steps = path === 'training.warmup_ratio' ? run.warmupInSteps : path === 'training.lr_decay_ratio';
        if (steps) {
          // A whole number of steps: within half of one, or nothing where the file does not say how many there are.
          if (recipe.training.max_steps > 0) {
            const share = valueAt(whole, path) as number;
            expect(Math.abs(share - (valueAt(recipe, path) as number)), path).toBeLessThanOrEqual(1 / facts.steps);
          }
          continue;
        }
        expect(valueAt(whole, path), `seed ${seed}, ${path}\n${text}`).toEqual(cameBackAs(path, recipe, facts));
        compared++;
      }
      expect(
        back.left.filter(({ why }) => why === 'Tabtune has no such setting.'),
        text,
      ).toEqual([]);
    }
    // SimPO and one loss of DPO are all that some trainers have.
    expect(compared).toBeGreaterThan(30);
  });
});
