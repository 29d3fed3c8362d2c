/**
 * A classifier's adapter from elsewhere, whose names have the class's prefix, continued on a bare encoder, whose names have none:
 * what the page plans with must be what the run has.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { AdapterFiles } from '../../../src/formats/adapter-format';
import { decodeAdapter } from '../../../src/methods/read-adapter';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { MethodSection, RecipeInput } from '../../../src/recipe/types';
import { ContinuedRecipes } from '../../../src/session/continued';
import type { OpenModel } from '../../../src/session/models';
import { adapterFiles } from '../../../src/workers/engine/adapter-files';
import { adapterModel } from '../../../src/workers/engine/adapter-model';
import { fitNames, openMethod } from '../../../src/workers/engine/adapters';
import { BARE } from '../../parity/matrix/cells';
import { openFamily } from '../../parity/matrix/folder';

const task = { problemType: 'single_label_classification' as const, labels: ['a', 'b', 'c'] };

test.each(
  BARE.flatMap((family) =>
    (['lora', 'ia3', 'bottleneck'] as const).map((method) => ({ family, method, name: family.name })),
  ),
)('$method on $name', async ({ family, method: type }) => {
  await tf.setBackend('cpu');
  const { base, weights } = await openFamily(family);
  const objective = { type: 'sequence_classification' } as const;
  const recipeOf = (method: RecipeInput['method']) => resolveRecipe({ version: 1, method, objective });
  const { method } = recipeOf({ type });
  const head = { source: weights };
  const open = await openMethod(base, method, { objective: objective.type, task, seed: 1, head });
  const files: AdapterFiles = await adapterFiles(open, { name: 'org/bare', revision: null });
  open.dispose();

  const recipes = new ContinuedRecipes({
    model: () => ({ adapterModel: adapterModel(base) }) as OpenModel,
    adapterFiles: async () => files,
  });
  const asked = recipeOf({ type, init_adapter: 'file:mine' });
  const continued = await recipes.of(asked);
  const { section } = fitNames(base, decodeAdapter(files));
  expect(continued.method).toEqual({ ...section, init_adapter: 'file:mine', ...kept(asked.method) });
  if ('target_modules' in continued.method) {
    // BERT’s pooler comes with the head.
    const paths = [...base.linears.map(({ path }) => path), 'pooler.dense'];
    for (const name of continued.method.target_modules) {
      expect(
        paths.some((path) => path === name || path.endsWith(`.${name}`)),
        name,
      ).toBe(true);
    }
  }
  // And the run takes it.
  const again = await openMethod(base, continued.method, {
    ...{ objective: objective.type, task, seed: 1, head, values: fitNames(base, decodeAdapter(files)).values },
  });
  again.dispose();
  base.dispose();
});

/** Settings that concern only training stay the recipe's. */
function kept(method: MethodSection) {
  const names = ['lora_dropout', 'loraplus_lr_ratio'];
  return Object.fromEntries(Object.entries(method).filter(([name]) => names.includes(name)));
}
