/** Common steps of screen tests: waiting until a run can start, dropping a file, setting fields, running axe. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, type Page } from '@playwright/test';
import type { RecipeInput } from '../../src/recipe/types';

/** The chat demo, as on a visit after it was chosen. */
export const chat: RecipeInput = {
  version: 1,
  dataset: { source: 'builtin:pirate-chat' },
  training: { learning_rate: 2e-3 },
};

/** Before the page is opened: it has a recipe from an earlier visit. */
export async function keepRecipe(page: Page, recipe: RecipeInput): Promise<void> {
  await page.addInitScript((input) => {
    const kept = JSON.stringify({ state: { input }, version: 1 });
    if (!localStorage.getItem('tabtune.recipe')) localStorage.setItem('tabtune.recipe', kept);
  }, recipe);
}

/** Waits until the start button is enabled. */
export async function expectReady(page: Page): Promise<void> {
  const start = page.getByRole('button', { name: 'Start training' });
  await expect(start).toBeVisible();
  await expect(start).not.toHaveAttribute('aria-disabled', 'true');
}

/** Drops a file on the page, as from a file manager. */
export async function drop(page: Page, name: string, content: string | readonly number[]): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, given]) => {
      const data = new DataTransfer();
      data.items.add(new File([typeof given === 'string' ? given : new Uint8Array(given)], fileName));
      return data;
    },
    [name, content] as const,
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** Sets fields under Advanced by their Hugging Face names. */
export async function setFields(page: Page, fields: Record<string, string>): Promise<void> {
  await page.goto('/#/recipe/advanced');
  for (const [name, value] of Object.entries(fields)) await page.getByLabel(name, { exact: true }).fill(value);
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The violations that axe finds on the current page; empty if there are none. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    type Found = { violations: { id: string; help: string; nodes: { target: string[] }[] }[] };
    const { axe } = window as unknown as { axe: { run: (root: Document, options: object) => Promise<Found> } };
    const { violations } = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target.join(' ')).join('; ')})`,
    );
  });
}
