// Runs one recipe in a headless browser and leaves a folder of results, or nothing at all. Used by headless.mjs.
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureBuilt } from './build.mjs';
import { openHeadless } from './headless-browser.mjs';
import { openInNode } from './headless-node/index.mjs';
import { keepKernels, keptKernels } from './kernel-cache.mjs';
import { cacheFolder, cacheHost, takeProfile } from './model-cache.mjs';
import { ownResults, putResults } from './results.mjs';
import { bad, RunError } from './run-error.mjs';
import { serve } from './serve.mjs';
import { realPlace, takeWorkFolder } from './work-folder.mjs';

export { RunError };

/** A path of a recipe: absolute, beside the recipe, or from where the command was run. */
export function findInput(source, recipeFolder, where, code) {
  const given = source.slice('file:'.length);
  const found = [path.resolve(recipeFolder, given), path.resolve(given)].find((place) => existsSync(place));
  if (!found) throw bad(code, where, `${given} does not exist.`, 'Check the path; it may be relative to the recipe.');
  return { path: found, isFolder: statSync(found).isDirectory() };
}

/** The files right inside a folder: a model's or an adapter's folder keeps nothing that is needed any deeper. */
export function filesIn({ path: folder, isFolder }, where, code) {
  if (!isFolder) return [folder];
  const files = readdirSync(folder, { withFileTypes: true })
    .map((entry) => path.join(folder, entry.name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  if (files.length === 0) throw bad(code, where, `${folder} has no files.`);
  return files;
}

/** Hands over the files that a recipe names, as the page's inputs; returns the names of the folders. */
async function handOver(page, recipe, recipeFolder) {
  const folders = { modelFolder: null, adapterFolder: null, rewardFolder: null };
  const { model, dataset, method, objective } = recipe;
  if (model.source.startsWith('file:')) {
    const found = findInput(model.source, recipeFolder, 'model.source', 'bad_model');
    await page.setInputFiles('#model', filesIn(found, 'model.source', 'bad_model'));
    folders.modelFolder = path.basename(found.path);
  }
  if (dataset.source.startsWith('file:')) {
    const found = findInput(dataset.source, recipeFolder, 'dataset.source', 'bad_data');
    if (found.isFolder) throw bad('bad_data', 'dataset.source', `${found.path} is a folder.`, 'Name a file.');
    await page.setInputFiles('#dataset', found.path);
  }
  // Under their places in the mix: two folders may hold files of the same name.
  const mixed = Object.keys(dataset.mix ?? {}).filter(
    (source) => source.startsWith('file:') && source !== dataset.source,
  );
  if (mixed.length > 0) {
    const files = mixed.map((source) => {
      const found = findInput(source, recipeFolder, 'dataset.mix', 'bad_data');
      if (found.isFolder) throw bad('bad_data', 'dataset.mix', `${found.path} is a folder.`, 'Name a file.');
      return found.path;
    });
    await page.setInputFiles('#mix', files);
  }
  if (dataset.base_text?.startsWith('file:')) {
    const found = findInput(dataset.base_text, recipeFolder, 'dataset.base_text', 'bad_data');
    if (found.isFolder) throw bad('bad_data', 'dataset.base_text', `${found.path} is a folder.`, 'Name a file.');
    await page.setInputFiles('#base-text', found.path);
  }
  if (method.init_adapter?.startsWith('file:')) {
    const found = findInput(method.init_adapter, recipeFolder, 'method.init_adapter', 'bad_adapter');
    await page.setInputFiles('#adapter', filesIn(found, 'method.init_adapter', 'bad_adapter'));
    folders.adapterFolder = path.basename(found.path);
  }
  const judges = (objective.rewards ?? []).flatMap(({ type, source }, i) =>
    type === 'reward_model' && source.startsWith('file:') ? [{ source, where: `objective.rewards.${i}.source` }] : [],
  );
  const other = judges.find(({ source }) => source !== judges[0].source);
  if (other) {
    throw bad('bad_recipe', other.where, 'is a second folder of a reward model.', 'A run without a screen opens one.');
  }
  for (const { source, where } of judges.slice(0, 1)) {
    const found = findInput(source, recipeFolder, where, 'bad_adapter');
    await page.setInputFiles('#reward-model', filesIn(found, where, 'bad_adapter'));
    folders.rewardFolder = path.basename(found.path);
  }
  return folders;
}

function readRecipe(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw bad(
      'bad_recipe',
      file,
      error.code === 'ENOENT' ? 'There is no such file.' : `cannot be read (${error.code}).`,
    );
  }
}

export async function built(note) {
  try {
    return await ensureBuilt({ log: note });
  } catch (error) {
    throw new RunError({
      code: 'internal',
      message: 'The app could not be built.',
      action: 'npm run build says why.',
      details: error.message,
    });
  }
}

/** Whether the model is to be fetched; what is wrong with a recipe is told later, by the app. */
function usesHub(recipeText) {
  try {
    return JSON.parse(recipeText)?.model?.source?.startsWith?.('hf:') === true;
  } catch {
    return false;
  }
}

export function takeKept(cache, note, runtime = 'browser') {
  const folder = cacheFolder(cache);
  try {
    const kept = takeProfile(folder, runtime);
    if (!kept.first) note(`Another run uses the models in ${folder}; this one keeps its own beside them.`);
    return kept;
  } catch (error) {
    throw bad('storage', '--cache', `${folder} cannot be written (${error.code}).`, 'Name another folder.');
  }
}

/** The variables that Hugging Face's own tools read. */
export const hubOfEnvironment = () => ({
  endpoint: process.env.HF_ENDPOINT || 'https://huggingface.co',
  token: process.env.HF_TOKEN || null,
});

/** Files that are written piece by piece, and what was written. */
function fileWriter(folder) {
  const hashes = new Map();
  return {
    append(name, bytes) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      appendFileSync(path.join(folder, name), bytes);
      if (!hashes.has(name)) hashes.set(name, createHash('sha256'));
      hashes.get(name).update(bytes);
    },
    /** Of every file by its name, in their order. */
    hashes: () => Object.fromEntries([...hashes].sort().map(([name, hash]) => [name, hash.digest('hex')])),
  };
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Runs `recipeFile` and writes `out`: metrics.jsonl, summary.json and adapter/, and what `exports` names: model/, the base with the adapter
 * merged in, for `merged-f32`, `merged-bf16` or `merged-f16`; a folder of its own name for every other. Of methods that train the
 * model's own weights there is a model/ and no adapter/. With `onlyExports` there is only what `exports` names. losses.json has the mean
 * loss per token that the trained model gives the texts `lossOf`, logits.json has the logits after the texts `logitsOf` (token ids), and
 * greedy.json how the trained model goes on after `greedyOf` (`{prompt, tokens}`). Models of the Hugging Face Hub are kept in
 * `cache`. `kernels` computes products. `onRow` is given each line of metrics, `onPage` Playwright's page, and `onMessage` what it says. `signal` ends it. Throws RunError, and then `out` is as it was before. The end of the
 * process leaves nothing behind either, except by SIGKILL.
 */
export async function runRecipe({
  recipeFile,
  out,
  device,
  runtime = 'browser',
  adapter = null,
  signal,
  logitsOf = [],
  greedyOf = [],
  lossOf = [],
  exports = [],
  onlyExports = false,
  kernels = 'auto',
  cache = null,
  note,
  progress,
  onRow,
  onPage,
  onMessage,
}) {
  const recipeText = readRecipe(recipeFile);
  const target = realPlace(out);
  await ownResults(target);
  const { work, remove } = takeWorkFolder(target, note);
  const result = path.join(work, 'result');
  const files = fileWriter(result);

  let server;
  let browser;
  let kept = null;
  const ended = new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
  // What is awaited below reports it.
  ended.catch(() => {});

  function keepTimed(timed) {
    try {
      keepKernels(cacheFolder(cache), timed);
    } catch (error) {
      note(`The kernels that were timed could not be kept (${error.code}): the next run may compute with others.`);
    }
  }

  function hear(message) {
    onMessage?.(message);
    if (message.type === 'note') note(message.text);
    else if (message.type === 'progress') progress(message.text);
    else if (message.type === 'kernels') keepTimed(message.kept);
    else if (message.type === 'row') {
      files.append('metrics.jsonl', `${JSON.stringify(message.row)}\n`);
      onRow?.(message.row);
    } else if (message.type === 'file') {
      const parts = message.path.split('/');
      const plain = parts.length > 1 && parts.every((part) => /^(?!\.{1,2}$)[\p{L}\p{N}._-]+$/u.test(part));
      if (!plain) throw new Error(`${message.path}: not a path of results.`);
      files.append(message.path, Buffer.from(message.base64, 'base64'));
    }
  }

  async function inBrowser() {
    browser = await openHeadless(`${server.address}/headless.html`, {
      profile: kept?.profile ?? path.join(work, 'profile'),
      keep: kept ? cacheHost : null,
      device,
      log: () => {},
    });
    signal?.throwIfAborted();
    const { page } = browser;
    await page.waitForFunction(() => window.tabtune !== undefined, undefined, { timeout: 60_000 });
    await onPage?.(page);
    await page.exposeFunction('tabtuneTell', hear);
    return {
      setInputFiles: (...given) => page.setInputFiles(...given),
      call: (method, ...args) => page.evaluate(([name, given]) => window.tabtune[name](...given), [method, args]),
    };
  }

  async function inNode() {
    const program = await openInNode({
      address: `${server.address}/`,
      folder: kept?.profile ?? path.join(work, 'files'),
      ...{ device, adapter, hear },
      opened: (close) => {
        browser = { close };
        signal?.throwIfAborted();
      },
    });
    note(`GPU: ${program.gpu}`);
    return program;
  }

  async function produce() {
    mkdirSync(result);
    if (usesHub(recipeText)) kept = takeKept(cache, note, runtime);
    server = await serve(await built(note));
    const program = await (runtime === 'node' ? inNode() : inBrowser());
    const value = (outcome) => {
      if (!outcome.ok) throw new RunError(outcome.error);
      return outcome.value;
    };
    const { recipe, notes } = value(await program.call('check', recipeText, exports));
    for (const line of notes) note(line);
    const folders = await handOver(program, recipe, path.dirname(path.resolve(recipeFile)));
    const asked = { logitsOf, greedyOf, lossOf, exports, onlyExports, kernels, timed: keptKernels(cacheFolder(cache)) };
    const options = { recipe, ...folders, ...asked, hub: kept && hubOfEnvironment() };
    const { summary, logits, greedy, losses } = value(await program.call('run', options));
    if (logitsOf.length > 0) files.append('logits.json', JSON.stringify(logits));
    if (greedyOf.length > 0) files.append('greedy.json', JSON.stringify(greedy));
    if (lossOf.length > 0) files.append('losses.json', JSON.stringify(losses));
    const versions = { ...summary.versions, node: process.versions.node };
    // By `written` a later run to the same folder knows what it may replace.
    writeFileSync(path.join(result, 'summary.json'), json({ ...summary, versions, written: files.hashes() }));
    return summary;
  }

  const running = produce();
  running.catch(() => {}); // when it was ended from outside, its own complaint about the closed browser is no news
  try {
    const summary = await Promise.race([running, ended]);
    await putResults(result, target);
    return summary;
  } catch (error) {
    if (error instanceof RunError) throw error;
    const [first] = String(error?.message ?? error).split('\n');
    throw new RunError({ code: 'internal', message: `The run failed: ${first}`, details: error?.stack });
  } finally {
    await browser?.close().catch(() => {});
    // Ended while the browser was starting: now it has started.
    await running.catch(() => {});
    await browser?.close().catch(() => {});
    await server?.close();
    kept?.release();
    remove();
  }
}
