/** Kernels that somebody insists on: in the address of the studio, and on the command line in both runtimes. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { findDriver } from '../../scripts/llvmpipe.mjs';
import type { RecipeInput } from '../../src/recipe/types';
import { Bench } from './support/headless';
import {
  expectFinished,
  expectReady,
  exportedWeights,
  holdAt,
  killEngine,
  openStudio,
  PATIENCE,
  resumeButton,
  STRUCK,
  start,
  startButton,
  storedKernels,
  tiny,
} from './support/studio';

test.setTimeout(6 * PATIENCE);

/** Short texts, and nothing evaluated on the way: what is insisted on is the fastest on a CPU, and the other takes long to compile. */
const short: RecipeInput = {
  ...tiny,
  dataset: { ...tiny.dataset, max_length: 32 },
  training: { ...tiny.training, eval_steps: 0, per_device_train_batch_size: 1, early_stopping_patience: 0 },
};

test('an unknown name is refused with the choices, and nothing can be started', async ({ page }) => {
  await page.goto('/?kernels=fast');
  const alert = page.getByRole('alert').first();
  await expect(alert).toContainText('There are no kernels called “fast”.');
  await expect(alert).toContainText('Choose one of auto, register, quad, tile, split.');
  await expect(page.getByRole('heading', { name: 'How to get WebGPU' })).toBeHidden();
  await expect(startButton(page)).toHaveAttribute('aria-disabled', 'true');
});

test('a run keeps its kernels when it is resumed under others, and ends with the same bytes', async ({
  page,
  browser,
  baseURL,
}) => {
  const other = await browser.newPage({ baseURL });
  other.setDefaultTimeout(PATIENCE);
  await openStudio(other, short, '/?kernels=quad');
  await start(other);
  await expectFinished(other);
  const undisturbed = await exportedWeights(other);
  await other.close();

  const gate = await holdAt(page, STRUCK);
  await openStudio(page, short, '/?kernels=quad');
  await start(page);
  await gate.reached();
  await killEngine(page);
  await gate.open();
  await page.goto('/?kernels=register');
  await expectReady(page);
  await resumeButton(page).click();
  await expectFinished(page);
  expect(await storedKernels(page)).toEqual({ asked: 'quad', chosen: {} });
  const weights = await exportedWeights(page);
  expect(weights.equals(undisturbed), 'the adapter is that of an undisturbed run, byte for byte').toBe(true);
});

test.describe('without a screen', () => {
  let bench: Bench;
  test.beforeEach(() => {
    bench = new Bench();
  });
  test.afterEach(() => bench.remove());
  const recipe = {
    version: 1,
    dataset: { source: 'builtin:pirate-chat', max_length: 32, validation_split: 0.01 },
    method: { type: 'lora', r: 4 },
    training: { max_steps: 2, eval_steps: 0, gradient_accumulation_steps: 1, early_stopping_patience: 0 },
  };

  test('an unknown name ends with a line that names the choices', async () => {
    bench.write('recipe.json', recipe);
    const { code, stderr } = await bench.run('recipe.json', 'results', { args: ['--kernels', 'fast'] });
    expect(stderr[0]).toBe('--kernels must be auto, register, quad, tile or split, not fast.');
    expect(code).toBe(1);
  });

  for (const runtime of ['browser', 'node']) {
    test(`a run in ${runtime === 'node' ? 'Node' : 'a browser'} says which were used`, async () => {
      bench.write('recipe.json', recipe);
      const { code } = await bench.run('recipe.json', 'results', {
        args: ['--runtime', runtime, '--kernels', 'quad'],
        env: runtime === 'node' ? findDriver({ log: () => {} }) : {},
        patience: 3 * PATIENCE,
      });
      expect(code).toBe(0);
      const summary = JSON.parse(readFileSync(bench.path('results', 'summary.json'), 'utf8'));
      expect(summary.kernels).toEqual({ asked: 'quad', chosen: {} });
    });
  }
});
