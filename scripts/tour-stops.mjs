// What the tour shows, in its order: each stop goes on from where the one before it ended.

const go = (page, hash) =>
  page.evaluate((to) => {
    window.location.hash = to;
    window.scrollTo(0, 0);
  }, `#/${hash}`);

const ready = (page) =>
  page
    .getByRole('button', { name: 'Start training' })
    .and(page.locator(':not([aria-disabled])'))
    .waitFor({ timeout: 120_000 });

const examples = {
  Refund: ['I want my money back', 'Please refund the second charge', 'The lamp broke, can I return it?'],
  Delivery: ['Where is my parcel?', 'It should have come on Monday', 'The tracking number does not work'],
};

export const stops = [
  {
    name: 'model',
    title: 'The first visit',
    text: 'A small model, a dataset and a recipe are chosen already, so the first press can be **Start training**. The card at the\nright says in one sentence what a run will do, and each part of the sentence leads to where it is changed.',
    async go(page) {
      await ready(page);
    },
  },
  {
    name: 'data',
    title: 'Data',
    text: 'Drop a file anywhere. Its format is detected and stated, problems are grouped with a fix beside them, and for each example\nthe tokens that are learned are marked.',
    async go(page) {
      await go(page, 'data');
      await page.getByRole('grid', { name: 'Examples' }).waitFor();
    },
  },
  {
    name: 'classes',
    title: 'Classes typed by hand',
    text: 'No file yet? Name the classes, give each a few examples, train, and watch the probabilities move as you type.',
    async go(page) {
      await go(page, 'data/classes');
      for (const [i, [name, texts]] of Object.entries(examples).entries()) {
        await page.getByRole('textbox', { name: `Name of class ${i + 1}` }).fill(name);
        const field = page.getByRole('textbox', { name: `New examples of ${name}` });
        await field.fill(texts.join('\n'));
        await field.press('Enter');
        await page.getByRole('list', { name }).waitFor();
      }
    },
  },
  {
    name: 'recipe',
    title: 'Recipe',
    text: 'Simple asks for the goal, the method and three sliders. A card that does not work with your model or data says why.',
    async go(page) {
      await go(page, 'recipe');
      await page.getByRole('heading', { name: 'Method' }).waitFor();
    },
  },
  {
    name: 'advanced',
    title: 'Every field',
    text: 'Advanced has every field under its Hugging Face name, searchable, with the recipe as JSON beside it if you like.',
    async go(page) {
      await go(page, 'recipe/advanced');
      await page.getByLabel('r', { exact: true }).focus();
    },
  },
  {
    name: 'presets',
    title: 'Presets',
    text: 'Settings that others have published, each with its source and a list of what it would change.',
    async go(page) {
      await page.getByRole('button', { name: 'Presets' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'train',
    title: 'Train',
    text: 'Loss, validation, speed and memory as they happen. Pause, stop, or close the tab: a run resumes from its last checkpoint.',
    async go(page) {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Start training' }).click();
      await page.getByRole('button', { name: 'Compare with the base' }).first().waitFor({ timeout: 600_000 });
    },
  },
  {
    name: 'compare',
    title: 'Compare',
    text: 'Base, runs and checkpoints side by side, on prompts that none of them was trained on. The first one is asked by itself.',
    async go(page) {
      await go(page, 'compare');
      await page.getByRole('article', { name: 'Tuned' }).getByRole('listitem').first().waitFor({ timeout: 120_000 });
      await page.getByRole('button', { name: 'Ask both' }).waitFor({ timeout: 120_000 });
    },
  },
  {
    name: 'export',
    title: 'Export',
    text: 'An adapter for PEFT or AdapterHub, or the whole model with the adapter merged in, checked against the live model first.',
    async go(page) {
      await page.evaluate(() => document.getElementById('export')?.scrollIntoView());
    },
  },
  {
    name: 'runs',
    title: 'Runs',
    text: 'Every run with its figures: sort, filter, tag, lay curves over one another, compare recipes, and use one again.',
    async go(page) {
      await go(page, 'runs');
      await page
        .getByRole('checkbox', { name: /^Select / })
        .nth(1)
        .check();
    },
  },
  {
    name: 'privacy',
    title: 'Privacy',
    text: 'What the browser enforces, how to check it, and every request that the tab has made.',
    async go(page) {
      await page.getByRole('button', { name: 'Nothing leaves this device' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'help',
    title: 'Help',
    text: 'Fine-tuning in a few short articles: the data it needs, how to read a loss, and when not to fine-tune at all.',
    async go(page) {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Help', exact: true }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
];
