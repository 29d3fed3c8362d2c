/**
 * The built studio with a tiny recipe in it, and a hook on its engine worker: what the worker reports passes by
 * unchanged, and at a chosen step something happens to it, so that a test strikes in the middle of a step every time.
 */
import { readFileSync } from 'node:fs';
import { expect, type Locator, type Page } from '@playwright/test';
import { readZip } from '../../../src/formats/zip';
import type { RecipeInput } from '../../../src/recipe/types';

/** What takes seconds on an idle machine takes minutes when a software GPU shares its cores with others. */
export const PATIENCE = 300_000;

export const STEPS = 8;
/** Where the tiny run keeps what it has: the step that a broken run goes on from. */
export const SAVED = 4;
/** When this step is reported, the next one is under way on the GPU. */
export const STRUCK = 5;

/** Dropout and an evaluation on the way: a run that goes on must find its random numbers and its best step again. */
export const tiny: RecipeInput = {
  version: 1,
  name: 'tiny',
  dataset: { source: 'builtin:pirate-chat', max_length: 64, validation_split: 0.01 },
  method: { type: 'lora', r: 4, lora_dropout: 0.1 },
  training: {
    max_steps: STEPS,
    eval_steps: SAVED,
    save_steps: SAVED,
    per_device_train_batch_size: 2,
    gradient_accumulation_steps: 1,
    learning_rate: 2e-3,
  },
};

/** What happens to the engine: it vanishes, its GPU device is destroyed, or the page reloads. */
export type Strike = 'kill' | 'lose' | 'reload';

interface EngineHook {
  steps: number[];
  strike: { step: number; what: Strike } | null;
}

declare global {
  interface Window {
    engineHook: EngineHook;
  }
}

function hookEngine(): void {
  const hook: EngineHook = { steps: [], strike: null };
  window.engineHook = hook;
  const Real = window.Worker;
  window.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name !== 'engine') return;
      this.addEventListener('message', ({ data }) => {
        const event = data.type === 'callback' ? data.args[0] : null;
        if (event?.type !== 'metrics' || event.row.kind !== 'step') return;
        hook.steps.push(event.row.step);
        const { strike } = hook;
        if (!strike || strike.step !== event.row.step) return;
        hook.strike = null;
        const { what } = strike;
        if (what === 'kill') this.terminate();
        else if (what === 'reload') window.location.reload();
        else this.postMessage({ type: 'call', id: 1e9, method: 'loseDevice', args: [], special: [] });
      });
    }
  };
}

/** Opens the studio with a recipe, as if it had been set there on an earlier visit. */
export async function openStudio(page: Page, recipe: RecipeInput = tiny): Promise<void> {
  // Leaving a page in mid-run asks first.
  page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
  await page.addInitScript(hookEngine);
  await page.addInitScript((input) => {
    const kept = JSON.stringify({ state: { input }, version: 1 });
    if (!localStorage.getItem('tabtune.recipe')) localStorage.setItem('tabtune.recipe', kept);
  }, recipe);
  await page.goto('/');
}

export const startButton = (page: Page): Locator => page.getByRole('button', { name: 'Start training' });
export const resumeButton = (page: Page): Locator => page.getByRole('button', { name: 'Resume', exact: true });

/** Nothing stands in the way of a run. */
export async function expectReady(page: Page): Promise<void> {
  await expect(startButton(page)).not.toHaveAttribute('aria-disabled', 'true', { timeout: 60_000 });
}

/** Starts the run, with what will happen to it. */
export async function start(page: Page, strike: { step: number; what: Strike } | null = null): Promise<void> {
  await expectReady(page);
  await page.evaluate((plan) => {
    window.engineHook.steps = [];
    window.engineHook.strike = plan;
  }, strike);
  await startButton(page).click();
}

/** Steps that the engine reported since the page was opened or the run was started, in order. */
export const stepsSeen = (page: Page): Promise<number[]> => page.evaluate(() => window.engineHook.steps);

export async function untilStep(page: Page, step: number): Promise<void> {
  await page.waitForFunction((n) => window.engineHook.steps.includes(n), step, { polling: 20, timeout: PATIENCE });
}

export async function expectFinished(page: Page, steps = STEPS): Promise<void> {
  await expect(page.getByRole('status', { name: 'Progress' })).toHaveText(
    `Training finished after ${steps} of ${steps} steps.`,
    { timeout: PATIENCE },
  );
}

/** What a person takes away: the weights in the exported zip. */
export async function exportedWeights(page: Page): Promise<Buffer> {
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: 'Compare & Export' }).click();
  const button = page.getByRole('button', { name: 'Export adapter' });
  await expect(button).not.toHaveAttribute('aria-disabled', 'true', { timeout: 30_000 });
  const download = page.waitForEvent('download');
  await button.click();
  const zip = readFileSync(await (await download).path());
  const files = readZip(new Uint8Array(zip), { where: 'the download', code: 'bad_adapter' });
  const weights = files.find(({ path }) => path.endsWith('adapter_model.safetensors'));
  expect(weights, 'weights in the zip').toBeDefined();
  return Buffer.from(weights!.bytes);
}
