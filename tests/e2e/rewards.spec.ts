/** The editor of rewards, and a person's code in its interpreter, in the built app under its policies. */
import { expect, type Page, test } from '@playwright/test';
import { linkDetail } from '../../src/recipe/share';
import type { RecipeInput } from '../../src/recipe/types';
import { axeFindings, keepRecipe } from './page';

const withRewards = (rewards: object[]): RecipeInput => ({
  version: 1,
  dataset: { source: 'builtin:quiz', format: 'prompt_only' },
  objective: { type: 'grpo', rewards } as RecipeInput['objective'],
});

const editor = (page: Page) => page.locator('main');

async function open(page: Page, rewards: object[]) {
  await keepRecipe(page, withRewards(rewards));
  await page.goto('/#/recipe');
  await expect(editor(page).getByRole('heading', { name: 'Rewards' })).toBeVisible();
}

async function tryRewards(page: Page) {
  const panel = editor(page).locator('details', { hasText: 'Try on an example' });
  if (!(await panel.evaluate((one: HTMLDetailsElement) => one.open))) await panel.locator('summary').click();
  // Rewards that count tokens need the model.
  const button = panel.getByRole('button', { name: 'Score these answers' });
  await expect(button).not.toHaveAttribute('aria-disabled', 'true');
  await button.click();
  const table = panel.getByRole('table', { name: 'What each reward gives' });
  await expect(table).toBeVisible();
  await expect(panel.getByRole('button', { name: 'Score these answers' })).toHaveAttribute('aria-busy', 'false');
  return table;
}

/** Each row as its cells. */
const rowsOf = (table: Awaited<ReturnType<typeof tryRewards>>) =>
  table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));

test('rewards are added, tried on the dataset’s prompts, and removed; a recipe without any cannot start', async ({
  page,
}) => {
  await keepRecipe(page, { version: 1, dataset: { source: 'builtin:quiz', format: 'prompt_only' } });
  await page.goto('/#/recipe');
  await page.getByRole('button', { name: 'Earn a reward' }).click();
  await expect(editor(page).getByText('rewards is empty, so no answer would be better than another.')).toBeVisible();
  const add = editor(page).getByLabel('Add a reward');
  await add.selectOption({ label: 'Exact answer' });
  await editor(page).getByRole('group', { name: 'Exact answer' }).getByLabel('Compare').selectOption('text');
  await add.selectOption({ label: 'Length' });
  await expect(editor(page).getByText('rewards is empty')).toHaveCount(0);
  const length = editor(page).getByRole('group', { name: 'Length' });
  await length.getByLabel('Name').fill('short');
  await length.getByLabel('Weight').fill('0.5');
  await length.getByLabel('At most').fill('2');
  await length.getByLabel('Falls to 0 within').fill('4');

  const panel = editor(page).locator('details', { hasText: 'Try on an example' });
  await panel.locator('summary').click();
  // The expected answer is there to begin with.
  await expect(panel.getByLabel('Answer to row 1', { exact: false })).toHaveValue('right');
  await panel.getByLabel('Answer to row 2', { exact: false }).fill('I think, a calf');
  await panel.getByLabel('Answer to row 3', { exact: false }).fill('No.');
  expect(await rowsOf(await tryRewards(page))).toEqual([
    ['exact_answer', '1', '0', '1'],
    ['short', '1', '0.5', '1'],
    ['Sum', '1.5', '0.25', '1.5'],
  ]);

  await length.getByLabel('At least').fill('9');
  await expect(length.getByText('min is 9, above max, which is 2.')).toBeVisible();
  await length.getByRole('button', { name: 'Remove short' }).click();
  await expect(length).toHaveCount(0);
  expect(await axeFindings(page)).toEqual([]);
  await page.reload();
  await expect(editor(page).getByRole('group', { name: 'Exact answer' })).toBeVisible();
});

test('a person’s own code is run apart, and what is wrong with it is said', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await open(page, []);
  await editor(page).getByLabel('Add a reward').selectOption({ label: 'JavaScript' });
  const card = editor(page).getByRole('group', { name: 'JavaScript' });
  const code = card.getByLabel('Code');

  const given = async (text: string) => {
    await code.fill(text);
    return (await rowsOf(await tryRewards(page)))[0]!.slice(1);
  };
  expect(
    await given('function reward({ completion, columns }) { return completion === columns.right_word ? 2 : -1 }'),
  ).toEqual(['2', '2', '2']);
  expect(await given('const reward = ({ tokens }) => (tokens.length > 0 ? null : 1)')).toEqual([
    'says nothing',
    'says nothing',
    'says nothing',
  ]);
  for (const [text, wrong] of [
    ['function reward() {}', 'javascript gave no reward for answer 1: it returned nothing.'],
    ['function reward() { return NaN }', 'javascript gave no reward for answer 1: it returned NaN.'],
    ['function reward() { throw new Error("oops") }', 'javascript gave no reward for answer 1: line 1, oops.'],
    ['function reward() { for (;;); }', 'it did not come to an end within 5 seconds.'],
    [
      'function reward() { const all = []; for (;;) all.push(new Uint8Array(1e6)) }',
      'it took more memory than there is for it.',
    ],
    ['function reward() { return fetch("/secret") }', "ReferenceError: 'fetch' is not defined."],
    ['function reward() { return postMessage({}) }', "ReferenceError: 'postMessage' is not defined."],
    ['function reward() { return import("/secret.js") }', 'it returned a promise, which nobody waits for.'],
  ] as const) {
    expect((await given(text))[0], text).toContain(wrong);
  }
  expect(await given('function reward() { return 1 }')).toEqual(['1', '1', '1']);
  expect(asked.filter((url) => url.includes('secret'))).toEqual([]);

  // The worker has the policy of those that hold people's data.
  const worker = page.workers().find((one) => one.url().includes('reward-worker'));
  const script = await page.request.get(worker!.url());
  expect(script.headers()['content-security-policy']).toContain("default-src 'none'");
});

test('code that came with a recipe does not run before the person has agreed to it', async ({ page }) => {
  const code = 'function reward() { return 42 }';
  const shared = withRewards([{ type: 'javascript', code }]);
  delete shared.dataset;
  await keepRecipe(page, withRewards([{ type: 'length' }]));
  await page.goto(`/#/recipe/${linkDetail(shared)}`);
  await page.getByRole('button', { name: 'Use this recipe' }).click();
  const card = editor(page).getByRole('group', { name: 'JavaScript' });
  await expect(card.getByText('This code came with the recipe')).toBeVisible();
  await expect(card.getByLabel('Code')).toHaveValue(code);

  const refused = 'The code of javascript came with the recipe, and nobody has agreed to it yet.';
  expect((await rowsOf(await tryRewards(page)))[0]![1]).toContain(refused);
  // Changing it is no consent.
  await card.getByLabel('Code').fill(`${code} // changed`);
  expect((await rowsOf(await tryRewards(page)))[0]![1]).toContain(refused);
  await page.reload();
  await expect(card.getByText('This code came with the recipe')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Start training' })).toHaveAttribute('aria-disabled', 'true');

  await card.getByRole('button', { name: 'Allow this code' }).click();
  await expect(card.getByText('This code came with the recipe')).toHaveCount(0);
  expect((await rowsOf(await tryRewards(page)))[0]!.slice(1)).toEqual(['42', '42', '42']);
  await page.reload();
  await expect(card.getByText('Runs apart from the page')).toBeVisible();
});
