/**
 * Interruptions at random moments: whatever ends a run, and whenever, it goes on and ends with the bytes of an undisturbed
 * run. The seed decides the moments, as shares of the time that the undisturbed run took, and where there is a choice the
 * kind. `npm test` tries a few; `npm run test:interruptions` tries 30 of each kind.
 */
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import { Stream, uniform } from '../../src/base/random';
import type { RecipeInput } from '../../src/recipe/types';
import { DATABASE } from '../../src/storage/database';
import type { RunRecord } from '../../src/storage/types';
import {
  expectFinished,
  expectReady,
  exportedWeights,
  killEngine,
  loseDevice,
  openStudio,
  PATIENCE,
  resumeButton,
  start,
} from './support/studio';

/** Nothing that only costs time: no sample answers, few held-out lines. Dropout, two evaluations and four checkpoints. */
const STEPS = 8;
const recipe: RecipeInput = {
  version: 1,
  name: 'interrupted',
  dataset: { source: 'builtin:stories', max_length: 32, validation_split: 0.02 },
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
};

/** At steps 2, 4, 6 and 8. Saving one takes some tens of milliseconds. */
const SAVES = 4;
const SAVING_MS = 60;

const SEED = Number(process.env.TABTUNE_SEED ?? 1);
const MOMENTS = Number(process.env.TABTUNE_MOMENTS ?? 1);
/** The first of the moments, so that a long series can be run in pieces. */
const FROM = Number(process.env.TABTUNE_FROM ?? 0);

/** Each leaves the page that is there afterwards. */
const kinds = {
  async kill(page) {
    await killEngine(page);
    return page;
  },
  async crash(page, context) {
    const gone = page.waitForEvent('crash');
    const browser = await context.newCDPSession(page);
    browser.send('Page.crash').catch(() => {}); // nobody is left to answer
    await gone;
    await page.close();
    return openPage(context);
  },
  async close(page, context) {
    await page.close();
    return openPage(context);
  },
  async reload(page) {
    await page.reload();
    return page;
  },
  async loseDevice(page) {
    await loseDevice(page);
    return page;
  },
} satisfies Record<string, (page: Page, context: BrowserContext) => Promise<Page>>;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as Kind[];

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await openStudio(page, recipe);
  return page;
}

/** The run that was started last, as storage has it; null before it is stored. */
const lastRun = (page: Page): Promise<Pick<RunRecord, 'status' | 'createdAt' | 'step'> | null> =>
  page.evaluate(async (name) => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open(name));
    const runs = (await done(database.transaction('runs').objectStore('runs').getAll())) as RunRecord[];
    database.close();
    const last = runs.sort((a, b) => b.createdAt - a.createdAt)[0];
    return last ? { status: last.status, createdAt: last.createdAt, step: last.step } : null;
  }, DATABASE);

/** Begins the run, or goes on with it, or finds it finished. False if there is nothing left to do. */
async function begin(page: Page, since: number): Promise<boolean> {
  // Also when nothing is at work any more: a killed engine has been noticed, a lost device has been reported.
  await expectReady(page);
  const run = await lastRun(page);
  if (!run || run.createdAt < since) {
    await start(page);
    return true;
  }
  if (run.status === 'completed') return false;
  expect(run.status, 'the run can be resumed').toBe('interrupted');
  await resumeButton(page).click();
  return true;
}

async function finish(page: Page, since: number): Promise<Buffer> {
  // A device is sometimes lost only after the run that was to lose it.
  while (await begin(page, since)) {
    const progress = page.getByRole('status', { name: 'Progress' });
    await expect(progress).toHaveText(/Training (finished after|was interrupted)/, { timeout: PATIENCE });
  }
  expect(await lastRun(page)).toMatchObject({ status: 'completed', step: STEPS });
  return exportedWeights(page);
}

const untilSaving = (page: Page, nth: number) =>
  page.waitForFunction((n) => window.engineHook.saves.begun >= n, nth, { polling: 2, timeout: PATIENCE });

interface Undisturbed {
  bytes: Buffer;
  milliseconds: number;
  context: BrowserContext;
}

const test = base.extend<object, { undisturbed: Undisturbed }>({
  undisturbed: [
    async ({ browser }, use, { project }) => {
      const context = await browser.newContext({ baseURL: project.use.baseURL });
      // The first run of a browser compiles the kernels; the second is as quick as those to come.
      const once = async () => {
        const page = await openPage(context);
        await expectReady(page);
        const began = Date.now();
        await start(page);
        await expectFinished(page, STEPS);
        const milliseconds = Date.now() - began;
        const bytes = await exportedWeights(page);
        await page.close();
        return { bytes, milliseconds };
      };
      const first = await once();
      const { bytes, milliseconds } = await once();
      expect(bytes.equals(first.bytes), 'two undisturbed runs are the same').toBe(true);
      await use({ bytes, milliseconds, context });
      await context.close();
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
      const { bytes, milliseconds, context } = undisturbed;
      const draw = drawn(series, moment);
      const any = (n: number) => names[Math.floor(draw(n) * names.length)]!;
      const since = Date.now();
      let page = await openPage(context);
      const told: string[] = [];
      for (let strike = 0; strike < (name === 'twice' ? 2 : 1); strike++) {
        const kind = name === 'saving' || name === 'twice' ? any(10 * strike) : (name as Kind);
        const nth = name === 'saving' ? 1 + Math.floor(draw(10 * strike + 2) * SAVES) : null;
        const wait = draw(10 * strike + 1) * (nth === null ? milliseconds : SAVING_MS);
        if (!(await begin(page, since))) break;
        if (nth !== null) await untilSaving(page, nth);
        await page.waitForTimeout(wait);
        const { step, done } = await page.evaluate(() => {
          const { seen, saves } = window.engineHook;
          return { step: seen.at(-1)?.step ?? 0, done: saves.done };
        });
        page = await kinds[kind](page, context);
        const where = nth === null ? '' : `, save ${nth} ${done < nth ? 'under way' : 'done'}`;
        told.push(`${kind} after ${wait.toFixed(0)} ms at step ${step}${where}`);
      }
      const weights = await finish(page, since);
      await page.close();
      console.log(`${name} ${moment}: ${told.join('; then ')}`);
      expect(weights.equals(bytes), `${told.join('; then ')}: the undisturbed run's bytes`).toBe(true);
    });
  }
}
