/**
 * A spreadsheet of customer replies as German Excel saves it (semicolons, Windows-1252, names that mean nothing to a program), from
 * the desktop to an exported adapter: nothing is set under Advanced, and the model is the one that the run card advises.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { readZip } from '../../src/formats/zip';
import { HubServer } from '../support/hub-server';
import { axeFindings, expectReady } from './page';
import { expectFinished, PATIENCE, savedBy, startButton, watchEngine } from './support/studio';

const ADVISED = 'HuggingFaceTB/SmolLM2-135M-Instruct';

/** Under the advised name, weights that a software GPU can train within the test's time. */
const stories = new URL('../../public/models/stories/', import.meta.url);
const files = Object.fromEntries(
  readdirSync(stories).map((name) => [name, new Uint8Array(readFileSync(new URL(name, stories)))]),
);

const things = [
  'Lampe',
  'Kaffeemühle',
  'Bürste',
  'Tür',
  'Gießkanne',
  'Schüssel',
  'Säge',
  'Kühlbox',
  'Uhr',
  'Rührgerät',
];
const rows = things.flatMap((thing, i) =>
  Array.from(
    { length: 10 },
    (_, j) =>
      `${100 + 10 * i + j};Wo ist meine ${thing}, bestellt vor ${j + 2} Tagen?;"Grüß Gott! Sie kommt bald; heute"`,
  ),
);
const sheet = Buffer.from(['Nr.;Was der Kunde schrieb;Unsere Antwort', ...rows].join('\r\n'), 'latin1');

let server: HubServer;
test.beforeAll(async () => {
  server = await new HubServer().start();
});
test.afterAll(() => server.stop());

test('a spreadsheet becomes an adapter, on the model that the card advises', async ({ page }) => {
  test.setTimeout(4 * PATIENCE);
  const { source } = server.add({ id: ADVISED, files, licence: 'apache-2.0' });
  // As if this Hub had been chosen in this tab.
  await page.addInitScript((endpoint) => sessionStorage.setItem('tabtune.hub', endpoint), server.endpoint);
  await watchEngine(page);
  await page.goto('/#/data');
  await expectReady(page);

  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open file' }).click();
  await (await choosing).setFiles({ name: 'kunden.csv', mimeType: 'text/csv', buffer: sheet });
  const plan = page.getByRole('group', { name: 'Plan' });
  await expect(plan).toContainText('to answer like your 100 examples; 10 are kept to check');
  await expect(page.getByRole('region', { name: 'Data', exact: true })).toContainText('Grüß Gott!');

  // A toy is not enough for that, and this is no GPU: both are said, and nothing has been fetched.
  const card = page.getByRole('complementary', { name: 'Run' });
  await expect(card).toContainText('Stories 2M is too small for these data');
  await expect(card).toContainText('Your browser renders in software');
  await expect(card).not.toContainText('Fits this GPU');
  await expect(card).toContainText(/SmolLM2 135M Instruct, in four bits: about 269 MB to download/);
  expect(await axeFindings(page)).toEqual([]);
  expect(server.requests).toEqual([]);
  await card.getByRole('button', { name: 'Look at SmolLM2 135M Instruct' }).click();
  const dialog = page.getByRole('dialog', { name: ADVISED });
  await expect(dialog.getByRole('radio', { name: '4-bit (NF4)' })).toBeChecked();
  expect(server.ranges('model.safetensors').filter(([, last]) => last > 100_000)).toEqual([]);
  await dialog.getByRole('button', { name: /^Download and open/ }).click();
  await expect(plan).toContainText('Teach SmolLM2');
  const kept = await page.evaluate(() => localStorage.getItem('tabtune.recipe'));
  expect(JSON.parse(kept!).state.input.model).toEqual({ source, quantization: 'nf4' });

  // The plan leads to where the run is made shorter.
  await plan.getByRole('link', { name: 'time not measured yet' }).click();
  const long = page.getByRole('slider', { name: 'How long' });
  await expect(long).toBeFocused();
  await long.press('Home');
  await expectReady(page);

  // One step is tried first, and thrown away: from then on the time is measured.
  await card.getByRole('button', { name: 'Test drive' }).click();
  const found = card.getByRole('list', { name: 'What the test drive found' });
  await expect(found).toContainText('The trained weights affect the output', { timeout: PATIENCE });
  await expect(found).toContainText('Every answer ends with a token that is learned');
  await expect(found).toContainText('Something is learned from every example');
  await expect(found).toContainText(/The learning rate \S+ is usual/);
  await expect(plan).toContainText(/; about \d+ /);
  await startButton(page).click();
  // 90 rows, 2 of them at a time and 4 times for a step.
  await expectFinished(page, 12);

  // What comes next is the big button, on every page.
  await page.getByRole('button', { name: 'Compare base and tuned' }).click();
  await page.getByRole('button', { name: 'Go to export' }).click();
  const save = page.getByRole('button', { name: 'Export adapter' });
  await expect(save).toBeFocused();
  // Both models answer a first prompt by themselves, and nothing is exported meanwhile.
  await expect(save).not.toHaveAttribute('aria-disabled', 'true', { timeout: PATIENCE });
  const file = await savedBy(page, () => save.press('Enter'));
  expect(file.suggestedFilename()).toBe('kunden-QLoRA-r16-lora.zip');
  const zip = readZip(new Uint8Array(readFileSync(await file.path())), { where: 'the download', code: 'bad_adapter' });
  const named = (end: string) => zip.find(({ path }) => path.endsWith(end))!;
  const config = JSON.parse(new TextDecoder().decode(named('adapter_config.json').bytes));
  expect(config).toMatchObject({ base_model_name_or_path: ADVISED, task_type: 'CAUSAL_LM' });
  expect(named('adapter_model.safetensors').bytes.length).toBeGreaterThan(10_000);

  // A changed recipe is a run that has not been made: it is next again.
  await expect(startButton(page)).toBeVisible();
  await page.goto('/#/recipe');
  await page.getByRole('slider', { name: 'How long' }).press('End');
  await expect(page.getByRole('button', { name: 'Compare base and tuned' })).toBeHidden();
});
