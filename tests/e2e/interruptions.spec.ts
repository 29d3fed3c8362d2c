/**
 * Interruptions at random moments: whatever ends a run, and whenever, it goes on and ends with the bytes of an undisturbed
 * run. The seed decides the moments: a third are times since the start, as shares of what the undisturbed run took, most of
 * which is preparation; the others are steps, after which the engine stands still until it is struck. Runs struck while
 * saving stand still in the middle of a write. Where there is a choice, it decides the kind too. `npm test` tries a few; `npm run test:interruptions` tries 30 of each kind.
 *
 * `npm run test:interruptions -- --kind time` strikes one long run at random moments and measures what each costs: the
 * time between the checkpoint that the run goes on from and the strike.
 */
import { readFileSync } from 'node:fs';
import { type BrowserContext, expect, type Page, test as plain } from '@playwright/test';
import { serveScripted } from '../../scripts/scripted.mjs';
import { Stream, uniform } from '../../src/base/random';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { Recipe } from '../../src/recipe/types';
import { holdStep, holdWrite, killEngine, loseDevice, PATIENCE, speedUp, watchEngine } from './support/studio';

const STEPS = 8;
/** Dropout, two evaluations with a best step each, and checkpoints at steps 2, 4, 6 and 8. */
const recipe = resolveRecipe({
  version: 1,
  name: 'interrupted',
  model: { source: 'file:tiny' },
  dataset: { source: 'file:words.txt', max_length: 32, validation_split: 0.1 },
  objective: { type: 'pretraining' },
  method: { type: 'lora', r: 2, lora_dropout: 0.1 },
  training: {
    max_steps: STEPS,
    eval_steps: 4,
    save_steps: 2,
    per_device_train_batch_size: 2,
    gradient_accumulation_steps: 1,
    learning_rate: 2e-3,
  },
});
/** What the engine puts into the database: metrics and bytes at each, and a manifest for each slot that has one. */
const WRITES = 15;

const setting = (name: string, usual: number) => Number(process.env[`TABTUNE_${name}`] ?? usual);
const SEED = setting('SEED', 1);
const MOMENTS = setting('MOMENTS', 1);
/** The first of the moments, so that a long series can be run in pieces. */
const FROM = setting('FROM', 0);
/** Strikes of the long run; none in `npm test`, since it takes minutes. */
const STRIKES = setting('STRIKES', 0);
/** How many times as fast the engine's clock runs meanwhile. */
const SPEED = setting('SPEED', 4);
/** What an interruption may cost, in seconds of training. */
const LOSS = 30;

/** Each leaves the page that is there afterwards. */
const kinds = {
  async kill(page) {
    await killEngine(page);
    return page;
  },
  async crash(page, { context, address }) {
    const gone = page.waitForEvent('crash');
    const browser = await context.newCDPSession(page);
    browser.send('Page.crash').catch(() => {}); // nobody is left to answer
    await gone;
    await page.close();
    return openPage(context, address);
  },
  async close(page, { context, address }) {
    await page.close();
    return openPage(context, address);
  },
  async reload(page) {
    await page.reload();
    return page;
  },
  async lost(page) {
    await loseDevice(page);
    return page;
  },
} satisfies Record<string, (page: Page, place: Pick<Undisturbed, 'context' | 'address'>) => Promise<Page>>;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as Kind[];

async function openPage(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await watchEngine(page);
  await page.goto(address);
  return page;
}

/** A tokenizer with a token for each row of the fixture's embedding. */
function words(): string {
  const special = ['<pad>', '<s>', '</s>', '<unk>'];
  const all = [...special, ...Array.from({ length: 124 }, (_, i) => `w${i}`)];
  return JSON.stringify({
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: {
      type: 'WordPiece',
      unk_token: '<unk>',
      continuing_subword_prefix: '##',
      vocab: Object.fromEntries(all.map((token, id) => [token, id])),
    },
  });
}

/** Stores the model and the data, as a person would who drops them. */
async function bringInputs(page: Page): Promise<void> {
  const file = (name: string) => readFileSync(`tests/fixtures/llama/gqa-tied/${name}`).toString('base64');
  const line = (row: number) => Array.from({ length: 12 }, (_, i) => `w${(row * 7 + i * i) % 124}`).join(' ');
  const model = {
    'config.json': file('config.json'),
    'model.safetensors': file('model.safetensors'),
    'tokenizer.json': btoa(words()),
  };
  await page.evaluate(
    async ({ files, text }) => {
      const made = Object.entries(files).map(([name, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        return { path: `tiny/${name}`, file: new File([bytes], name) };
      });
      await window.bare.session.importModel(made);
      await window.bare.session.importDataset(new File([text], 'words.txt'));
    },
    { files: model, text: Array.from({ length: 40 }, (_, row) => line(row)).join('\n\n') },
  );
}

const begin = (page: Page, since: number, what: Recipe = recipe) =>
  page.evaluate(([given, time]) => window.bare.begin(given, time), [what, since] as const);

/** Waits until what was begun has ended, in whatever way. */
const ended = (page: Page) => page.evaluate(async () => (await window.bare.running) ?? 'nothing');

/** Goes on until the run has finished, and gives its weights. */
async function finish(page: Page, since: number, what: Recipe = recipe): Promise<Buffer> {
  // The engine that was struck may still have to notice. A device is sometimes lost only after the run that was to lose it.
  await ended(page);
  while ((await begin(page, since, what)) !== 'finished') await ended(page);
  return Buffer.from(await page.evaluate(() => window.bare.weights()), 'base64');
}

interface Undisturbed {
  bytes: Buffer;
  /** From the start to the end. */
  runMs: number;
  context: BrowserContext;
  address: string;
}

const test = plain.extend<object, { undisturbed: Undisturbed }>({
  undisturbed: [
    async ({ browser }, use) => {
      const server = await serveScripted('bare');
      const context = await browser.newContext();
      const address = server.scripted;
      // The first run of a browser compiles the kernels; the second is as quick as those to come.
      const once = async (first: boolean) => {
        const page = await openPage(context, address);
        if (first) await bringInputs(page);
        const began = Date.now();
        await begin(page, began);
        expect(await ended(page)).toBe('completed');
        // The steps of so small a model take next to nothing of it.
        const runMs = Date.now() - began;
        const bytes = await finish(page, began);
        await page.close();
        return { bytes, runMs };
      };
      const first = await once(true);
      const { bytes, runMs } = await once(false);
      expect(bytes.length).toBeGreaterThan(1000);
      expect(bytes.equals(first.bytes), 'two undisturbed runs are the same').toBe(true);
      await use({ bytes, runMs, context, address });
      await context.close();
      await server.close();
    },
    { scope: 'worker', timeout: 3 * PATIENCE },
  ],
});

test.setTimeout(2 * PATIENCE);

/** Numbers in [0, 1) for one moment. */
const drawn = (series: number, moment: number) => (n: number) =>
  uniform(SEED, Stream.sampling, n, 1000 * series + moment);

for (const [series, name] of [...names, 'saving', 'twice'].entries()) {
  for (let moment = FROM; moment < FROM + MOMENTS; moment++) {
    test(`${name}, moment ${moment} of seed ${SEED}`, async ({ undisturbed }) => {
      const { bytes, runMs, context, address } = undisturbed;
      const draw = drawn(series, moment);
      const any = (n: number) => names[Math.floor(draw(n) * names.length)]!;
      const since = Date.now();
      let page = await openPage(context, address);
      const told: string[] = [];
      for (let strike = 0; strike < (name === 'twice' ? 2 : 1); strike++) {
        const kind = name === 'saving' || name === 'twice' ? any(10 * strike) : (name as Kind);
        const choice = draw(10 * strike + 2);
        const after = Math.max(0, Math.floor((1.5 * choice - 0.5) * STEPS + 1));
        const write = 1 + Math.floor(choice * WRITES);
        const wait = draw(10 * strike + 1) * runMs;
        // What was struck before may still have to notice, or may not have been hit at all.
        await ended(page);
        let gate: Awaited<ReturnType<typeof holdWrite>> | null = null;
        if (name === 'saving') gate = await holdWrite(context, write, draw(10 * strike + 3) < 0.5);
        else if (after > 0) gate = await holdStep(context, after);
        await page.evaluate(() => Object.assign(window.engineHook, { seen: [] }));
        if ((await begin(page, since)) === 'finished') {
          await gate?.remove();
          break;
        }
        // A resumed run may be past the step where it was to be struck, and then ends.
        if (gate) await Promise.race([gate.arrived, ended(page)]);
        else await page.waitForTimeout(wait);
        const step = await page.evaluate(() => window.engineHook.seen.at(-1)?.step ?? 0);
        page = await kinds[kind](page, { context, address });
        await gate?.open();
        await gate?.remove();
        const where = name === 'saving' ? ` in write ${write}` : gate ? '' : ` after ${wait.toFixed(0)} ms`;
        told.push(`${kind}${where} at step ${step}`);
      }
      const weights = await finish(page, since);
      await page.close();
      const words = told.join(', then ');
      console.log(`${name} ${moment}: ${words}: ${weights.equals(bytes) ? 'same bytes' : 'OTHER BYTES'}`);
      expect(weights.equals(bytes), `${words}: the undisturbed run’s bytes`).toBe(true);
    });
  }
}

/** Saves by time alone. */
const long = (steps: number): Recipe => ({
  ...recipe,
  training: { ...recipe.training, max_steps: steps, eval_steps: 0, save_steps: 0 },
});

if (STRIKES > 0) {
  test(`time, moment 0 of seed ${SEED}: ${STRIKES} strikes of one run`, async ({ undisturbed }) => {
    test.setTimeout(20 * PATIENCE);
    const { context, address } = undisturbed;
    const fast = await speedUp(context, SPEED);
    let page = await openPage(context, address);
    const whole = async (steps: number) => {
      const began = Date.now();
      await begin(page, began, long(steps));
      // Nothing is left to wait for if it was over sooner; that it has finished is checked next.
      expect(['completed', 'nothing']).toContain(await ended(page));
      return finish(page, began, long(steps));
    };
    // As long a run as the strikes need: each lets through half of what was trained since the one before, more or less.
    await whole(300);
    // By the run's own clock, without its first steps.
    const rows = await page.evaluate(() => window.engineHook.seen.slice(100));
    const stepMs = (1000 * (rows.at(-1)!.seconds - rows[0]!.seconds)) / (rows.length - 1);
    const steps = Math.ceil((STRIKES * 20_000) / stepMs);
    console.log(`time: a run of ${steps} steps of ${stepMs.toFixed(1)} ms`);
    const bytes = await whole(steps);

    const draw = drawn(names.length + 2, 0);
    const since = Date.now();
    const costs: number[] = [];
    let struck: { at: number; kept: { step: number; at: number }[]; told: string } | null = null;
    for (let strike = 0; strike <= STRIKES; strike++) {
      await ended(page);
      await page.evaluate(() => {
        window.engineHook.kept = [];
      });
      if ((await begin(page, since, long(steps))) === 'finished') break;
      await Promise.race([page.waitForFunction(() => window.engineHook.kept.length > 0), ended(page)]);
      if (struck) {
        const from = await page.evaluate(() => window.engineHook.kept[0]?.step);
        // One that was stored, but that nobody lived to hear of, costs nothing.
        const at = struck.kept.find(({ step }) => step === from)?.at ?? struck.at;
        const cost = (SPEED * (struck.at - at)) / 1000;
        costs.push(cost);
        console.log(
          `time ${strike}: ${struck.told}, resumed from step ${from} of ${steps}: ${cost.toFixed(1)} s of training`,
        );
      }
      if (strike === STRIKES) break;
      const kind = names[Math.floor(draw(10 * strike) * names.length)]!;
      await page.waitForTimeout((draw(10 * strike + 1) * 2 * LOSS * 1000) / SPEED);
      const { kept, step } = await page.evaluate(() => ({
        kept: window.engineHook.kept,
        step: window.engineHook.seen.at(-1)?.step,
      }));
      struck = { at: Date.now(), kept, told: `${kind} at step ${step}` };
      page = await kinds[kind](page, { context, address });
    }
    const weights = await finish(page, since, long(steps));
    await page.close();
    await fast.remove();
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    const most = Math.max(...costs);
    const same = weights.equals(bytes);
    console.log(
      `time: ${costs.length} strikes cost ${mean.toFixed(1)} s of training each, at most ${most.toFixed(1)} s: ${same ? 'same bytes' : 'OTHER BYTES'}`,
    );
    expect(costs).toHaveLength(STRIKES);
    expect(most).toBeLessThanOrEqual(LOSS);
    expect(same, 'the undisturbed run’s bytes').toBe(true);
  });
}
