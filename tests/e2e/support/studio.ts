/**
 * The built studio with a tiny recipe in it, its engine worker watched: what the worker reports passes by unchanged and
 * is written down, and once it has reported a chosen step it stands still until the test lets it go on. So a test strikes
 * in the middle of a step every time, however quick the GPU and however slow the page.
 */
import { readFileSync } from 'node:fs';
import { type BrowserContext, type Download, expect, type Locator, type Page, type Route } from '@playwright/test';
import { readZip } from '../../../src/formats/zip';
import type { RecipeInput } from '../../../src/recipe/types';
import { DATABASE } from '../../../src/storage/database';
import type { RunRecord } from '../../../src/storage/types';
import { keepRecipe } from '../page';

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

interface EngineHook {
  /** Steps that the engine reported since the page was opened or the run was started, in order. */
  seen: { step: number; loss: number; seconds: number }[];
  /** The steps from which the run could be resumed, and since when; its beginning is the first of them. */
  kept: { step: number; at: number }[];
  engine: Worker | null;
}

declare global {
  interface Window {
    engineHook: EngineHook;
  }
}

function hookEngine(): void {
  const hook: EngineHook = { seen: [], kept: [], engine: null };
  window.engineHook = hook;
  const Real = window.Worker;
  window.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name !== 'engine') return;
      hook.engine = this;
      this.addEventListener('message', ({ data }) => {
        const event = data.type === 'callback' ? data.args[0] : null;
        if (event?.type === 'started') hook.kept = [{ step: event.resumedFrom, at: Date.now() }];
        if (event?.type === 'checkpoint') hook.kept.push({ step: event.step, at: Date.now() });
        if (event?.type === 'metrics' && event.row.kind === 'step') hook.seen.push(event.row);
      });
    }
  };
}

/** Before the page is opened: writes down what its engine reports. */
export async function watchEngine(page: Page): Promise<void> {
  // Leaving a page in mid-run asks first.
  page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
  await page.addInitScript(hookEngine);
}

/** In the engine worker, before its own script: when this step is reported, asks for an address and waits for it. */
function standStill(at: number): void {
  type Message = { type: string; args?: [{ type: string; row: { kind: string; step: number } }] };
  const post = self.postMessage.bind(self) as (message: Message, ...rest: unknown[]) => void;
  const posting = (message: Message, ...rest: unknown[]) => {
    post(message, ...rest);
    const event = message.type === 'callback' ? message.args?.[0] : null;
    if (event?.type !== 'metrics' || event.row.kind !== 'step' || event.row.step !== at) return;
    const request = new XMLHttpRequest();
    // Not asynchronous: nothing else happens in the worker meanwhile.
    request.open('GET', '/gate', false);
    request.send();
  };
  self.postMessage = posting as typeof self.postMessage;
}

/** In the engine worker, before its own script: stands still before or after the nth time that it puts something into the database. */
function standInWrite(nth: number, after: boolean): void {
  const { put } = IDBObjectStore.prototype;
  let count = 0;
  const stand = () => {
    const request = new XMLHttpRequest();
    request.open('GET', '/gate', false);
    request.send();
  };
  IDBObjectStore.prototype.put = function (...args) {
    count++;
    if (count === nth && !after) stand();
    const request = put.apply(this, args);
    if (count === nth && after) stand();
    return request;
  };
}

export interface Gate {
  /** The step has been reported, to the page too, and the engine stands. */
  reached(): Promise<void>;
  /** Lets the engine go on, and every later one pass. */
  open(): Promise<void>;
}

/** Before the page is opened: its engine will stand still after a step. */
export async function holdAt(page: Page, step: number): Promise<Gate> {
  const { arrived, open } = await hold(page, `(${standStill})(${step});`);
  return {
    async reached() {
      await arrived;
      await untilStep(page, step);
    },
    open,
  };
}

/** From now on engines of these pages stand still in the middle of a write, within an open transaction. */
export const holdWrite = (context: BrowserContext, nth: number, after: boolean) =>
  hold(context, `(${standInWrite})(${nth}, ${after});`);

/** From now on engines of these pages stand still after a step. */
export const holdStep = (context: BrowserContext, step: number) => hold(context, `(${standStill})(${step});`);

/**
 * In the engine worker, before its own script: half a minute of its clock takes an hour, so that runs save after the steps
 * that their recipe names and at no others, however slow the machine.
 */
function slowClock(): void {
  const now = performance.now.bind(performance);
  performance.now = () => now() / 120;
}

/** From now on the clock of engines of these pages runs so many times as fast, and so does what depends on it. */
export const speedUp = (context: BrowserContext, times: number) =>
  hold(context, `performance.now = ((now) => () => ${times} * now())(performance.now.bind(performance));`, '');

/** Puts a script before that of the engine, which asks for `/gate` and waits for the answer. */
async function hold(place: Page | BrowserContext, script: string, clock = `(${slowClock})();`) {
  let opened = false;
  let held: Route | null = null;
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await place.route('**/engine-worker-*.js', async (route) => {
    try {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${clock}\n${script}\n${await response.text()}` });
    } catch (cause) {
      // The page was closed meanwhile; anything else is a fault.
      if (!/closed|Test ended/.test(String(cause))) throw cause;
    }
  });
  await place.route('**/gate', async (route) => {
    if (opened) return route.fulfill({ status: 204 });
    held = route;
    arrive();
  });
  return {
    arrived,
    async open() {
      opened = true;
      // Nobody listens where the worker is gone.
      await held?.fulfill({ status: 204 }).catch(() => {});
    },
    remove: () => place.unrouteAll({ behavior: 'ignoreErrors' }),
  };
}

/** The engine vanishes without a word, as when its process crashes. */
export const killEngine = (page: Page): Promise<void> => page.evaluate(() => window.engineHook.engine?.terminate());

/** The engine's GPU device will be destroyed as soon as it listens. */
export const loseDevice = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const call = { type: 'call', id: 1e9, method: 'loseDevice', args: [], special: [] };
    window.engineHook.engine?.postMessage(call);
  });

/** Opens the studio with a recipe, as if it had been set there on an earlier visit. */
export async function openStudio(page: Page, recipe: RecipeInput = tiny, address = '/'): Promise<void> {
  await watchEngine(page);
  await keepRecipe(page, recipe);
  await page.goto(address);
}

export const startButton = (page: Page): Locator => page.getByRole('button', { name: 'Start training' });
export const resumeButton = (page: Page): Locator => page.getByRole('button', { name: 'Resume', exact: true });

/** Nothing stands in the way of a run. */
export async function expectReady(page: Page): Promise<void> {
  await expect(startButton(page)).not.toHaveAttribute('aria-disabled', 'true');
}

export async function start(page: Page): Promise<void> {
  await expectReady(page);
  await forgetSteps(page);
  await startButton(page).click();
}

export const forgetSteps = (page: Page): Promise<void> =>
  page.evaluate(() => {
    window.engineHook.seen = [];
  });

export const stepsSeen = (page: Page): Promise<number[]> =>
  page.evaluate(() => window.engineHook.seen.map(({ step }) => step));

export const lossesSeen = (page: Page): Promise<number[]> =>
  page.evaluate(() => window.engineHook.seen.map(({ loss }) => loss));

export async function untilStep(page: Page, step: number): Promise<void> {
  await page.waitForFunction((n) => window.engineHook.seen.some((row) => row.step === n), step, {
    polling: 20,
    timeout: PATIENCE,
  });
}

/** The one run that storage has, whatever the screen shows. */
const onlyRun = (page: Page): Promise<RunRecord> =>
  page.evaluate(async (name) => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open(name));
    const [run] = (await done(database.transaction('runs').objectStore('runs').getAll())) as RunRecord[];
    database.close();
    return run!;
  }, DATABASE);

export async function storedRun(page: Page): Promise<Pick<RunRecord, 'status' | 'step' | 'totalSteps'>> {
  const { status, step, totalSteps } = await onlyRun(page);
  return { status, step, totalSteps };
}

export const storedKernels = async (page: Page): Promise<RunRecord['kernels']> => (await onlyRun(page)).kernels;

/** Its validation loss before training, and the best since then. */
export async function storedLosses(page: Page): Promise<[before: number, best: number]> {
  const { initialEvalLoss, bestEvalLoss } = await onlyRun(page);
  return [initialEvalLoss!, bestEvalLoss!];
}

/** Tries to store as much as this; gives the name of the error, or nothing when there was room. Nothing of it stays. */
export const writeBytes = (page: Page, bytes: number): Promise<string | undefined> =>
  page.evaluate(
    ([name, size]) =>
      new Promise<string | undefined>((resolve) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => {
          const database = opening.result;
          const end = (error?: string) => {
            database.close();
            resolve(error);
          };
          const writing = database.transaction('runs', 'readwrite');
          writing.objectStore('runs').put(new Uint8Array(size), 'filler');
          writing.onabort = () => end(writing.error?.name);
          writing.oncomplete = () => {
            const removing = database.transaction('runs', 'readwrite');
            removing.objectStore('runs').delete('filler');
            removing.oncomplete = () => end();
          };
        };
      }),
    [DATABASE, bytes] as const,
  );

export async function expectFinished(page: Page, steps = STEPS): Promise<void> {
  await expect(page.getByRole('status', { name: 'Progress' })).toHaveText(
    `Training finished after ${steps} of ${steps} steps.`,
    { timeout: PATIENCE },
  );
}

/** What a press of an export saves; fails with what the screen says if it says that the export failed. */
export async function savedBy(page: Page, press: () => Promise<void>): Promise<Download> {
  const download = page.waitForEvent('download');
  const alert = page.locator('#export').getByRole('alert');
  const failed = alert.waitFor({ timeout: 0 }).then(async () => {
    throw new Error(`Nothing was saved: ${await alert.textContent()}`);
  });
  await press();
  return Promise.race([download, failed]);
}

/** What a person takes away: the weights in the exported zip. */
export async function exportedWeights(page: Page): Promise<Buffer> {
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: 'Compare & Export' }).click();
  const button = page.getByRole('button', { name: 'Export adapter' });
  await expect(button).not.toHaveAttribute('aria-disabled', 'true');
  const zip = readFileSync(await (await savedBy(page, () => button.click())).path());
  const files = readZip(new Uint8Array(zip), { where: 'the download', code: 'bad_adapter' });
  const weights = files.find(({ path }) => path.endsWith('adapter_model.safetensors'));
  expect(weights, 'weights in the zip').toBeDefined();
  return Buffer.from(weights!.bytes);
}
