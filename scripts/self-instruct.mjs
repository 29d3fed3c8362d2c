// npm run self-instruct -- --out DIR: a model writes its own dataset from seed tasks, in headless Chrome.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openHeadless } from './headless-browser.mjs';
import { built, filesIn, findInput, hubOfEnvironment, takeKept } from './headless-run.mjs';
import { cacheHost } from './model-cache.mjs';
import { bad, RunError } from './run-error.mjs';
import { serve } from './serve.mjs';

const usage = `Usage: npm run self-instruct -- --out DIR [--model SOURCE] [--seeds FILE] [--count N] [SETTINGS]

Self-Instruct (Wang et al., 2023): from seed tasks a model writes instructions, and examples of them. Writes DIR/dataset.jsonl,
whose rows say where they come from, and DIR/draft.json after every task, prints the funnel and writes DIR/funnel.txt at the
end. A folder with a draft is continued. docs/SELF-INSTRUCT.md explains it.

  --model   builtin:stories (default), hf:ORG/NAME[/FILE.gguf][@REVISION], or file:PATH of a folder or a GGUF file
  --seeds   JSON Lines of {"instruction", "instances": [{"input", "output"}]}, or of prompts and answers (default: 26 of ours)
  --count   instructions to keep (default 50)
  --temperature 0.7, --top-p 0.5, --presence-penalty 0, --max-tokens 1024, --prompts-per-round 5, --max-instances 5, --seed 42
  --classification-only   from seed tasks of classification, to more of them
  --no-seeds              leaves the seed tasks out of the dataset
  --quantization none|nf4|q8, --device auto|hardware|software, --cache DIR, --timeout SECONDS as for npm run headless`;

class UsageError extends Error {}

const numbers = {
  count: 'num_instructions_to_generate',
  temperature: 'temperature',
  'top-p': 'top_p',
  'presence-penalty': 'presence_penalty',
  'max-tokens': 'max_tokens',
  'prompts-per-round': 'request_batch_size',
  'max-instances': 'max_instances_to_generate',
  seed: 'seed',
};
const whole = new Set(['count', 'max-tokens', 'prompts-per-round', 'max-instances']);

function readArguments() {
  const text = { type: 'string' };
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        out: text,
        model: { type: 'string', default: 'builtin:stories' },
        quantization: { type: 'string', default: 'none' },
        seeds: text,
        device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
        cache: text,
        timeout: { type: 'string', default: '0' },
        'classification-only': { type: 'boolean', default: false },
        'no-seeds': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        ...Object.fromEntries(Object.keys(numbers).map((name) => [name, text])),
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.help) return null;
  if (!values.out) throw new UsageError('Give the output folder with --out DIR.');
  if (!/^(builtin|hf|file):/.test(values.model)) {
    throw new UsageError(`--model must begin with builtin:, hf: or file:, not ${values.model}.`);
  }
  const settings = {};
  for (const [name, field] of Object.entries(numbers)) {
    if (values[name] === undefined) continue;
    const value = Number(values[name]);
    const least = whole.has(name) ? 1 : 0;
    if (!(value >= least) || ((whole.has(name) || name === 'seed') && !Number.isInteger(value))) {
      throw new UsageError(`--${name} must be a ${whole.has(name) ? 'whole ' : ''}number of at least ${least}.`);
    }
    settings[field] = value;
  }
  if (values['classification-only']) settings.use_clf_seed_tasks_only = true;
  if (values['no-seeds']) settings.include_seed_tasks = false;
  const timeout = Number(values.timeout);
  if (!(timeout >= 0)) throw new UsageError(`--timeout must be a number of seconds, not ${values.timeout}.`);
  return { ...values, timeout, settings };
}

const OURS = ['dataset.jsonl', 'draft.json', 'funnel.txt'];

/** The draft in a folder, or null if the folder is new. Throws if anything else is in it. */
function draftIn(out) {
  if (!existsSync(out)) return null;
  const other = readdirSync(out).find((name) => !OURS.includes(name));
  if (other)
    throw bad('bad_recipe', '--out', `${out} holds ${other}, which is not of this command.`, 'Name another folder.');
  const draft = path.join(out, 'draft.json');
  return existsSync(draft) ? readFileSync(draft, 'utf8') : null;
}

function seedsIn(file) {
  if (file === undefined) return null;
  try {
    return { name: path.basename(file), text: readFileSync(file, 'utf8') };
  } catch (error) {
    throw bad('bad_data', '--seeds', `${file} cannot be read (${error.code}).`, 'Check the path.');
  }
}

/** Whole, or as it was before. */
function put(out, name, text) {
  mkdirSync(out, { recursive: true });
  const part = path.join(out, `${name}.part`);
  writeFileSync(part, text);
  renameSync(part, path.join(out, name));
}

async function run({ out, model, quantization, seeds, device, cache, settings }, line, signal) {
  const draft = draftIn(out);
  const given = seedsIn(seeds);
  const folder = model.startsWith('file:') ? findInput(model, process.cwd(), '--model', 'bad_model') : null;
  const work = mkdtempSync(path.join(tmpdir(), 'tabtune-self-instruct-'));
  const kept = model.startsWith('hf:') ? takeKept(cache ?? null, line.note) : null;
  let server;
  let browser;
  try {
    server = await serve(await built(line.note));
    browser = await openHeadless(`${server.address}/headless.html`, {
      profile: kept?.profile ?? path.join(work, 'profile'),
      keep: kept ? cacheHost : null,
      device,
      log: () => {},
    });
    const { page } = browser;
    signal.addEventListener('abort', () => void browser.close().catch(() => {}), { once: true });
    page.setDefaultTimeout(0);
    await page.waitForFunction(() => window.tabtune !== undefined, undefined, { timeout: 60_000 });
    await page.exposeFunction('tabtuneTell', (message) => {
      if (message.type === 'note') line.note(message.text);
      else if (message.type === 'progress') line.progress(message.text);
      else if (message.type === 'draft') {
        put(out, 'dataset.jsonl', message.dataset);
        put(out, 'draft.json', message.draft);
      }
    });
    if (folder) await page.setInputFiles('#model', filesIn(folder, '--model', 'bad_model'));
    const outcome = await page.evaluate((options) => window.tabtune.selfInstruct(options), {
      model: { source: model, quantization },
      modelFolder: folder && path.basename(folder.path),
      hub: kept && hubOfEnvironment(),
      seeds: given,
      settings,
      draft,
    });
    if (!outcome.ok) throw new RunError(outcome.error);
    put(out, 'funnel.txt', `${outcome.value.funnel}\n`);
    return outcome.value;
  } finally {
    await browser?.close().catch(() => {});
    await server?.close();
    kept?.release();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Lines on stderr, the latest every few seconds. */
function progressLines() {
  let last = Date.now();
  return {
    note: (text) => process.stderr.write(`${text}\n`),
    progress(text) {
      if (Date.now() - last < 5000) return;
      last = Date.now();
      process.stderr.write(`${text}\n`);
    },
  };
}

const abort = new AbortController();
try {
  const given = readArguments();
  if (given === null) console.log(usage);
  else {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => abort.abort('Stopped'));
    if (given.timeout > 0)
      setTimeout(() => abort.abort(`Not finished after ${given.timeout} s`), given.timeout * 1000).unref();
    const { end, tasks, rows, seeds, funnel } = await run(given, progressLines(), abort.signal);
    console.log(funnel);
    if (end === 'barren') console.log('Ended: ten rounds in a row brought nothing new.');
    console.log(`${rows} examples of ${tasks} new tasks, from ${seeds} seed tasks. Written to ${given.out}`);
  }
} catch (error) {
  process.exitCode = 1;
  if (abort.signal.aborted)
    console.error(`${abort.signal.reason}; what was kept is in the folder, and the same command goes on with it.`);
  else console.error(error.message);
  if (error instanceof UsageError) console.error(`\n${usage}`);
  const ours = error.data?.code === 'internal' || process.env.TABTUNE_DEBUG;
  if (ours && !abort.signal.aborted) console.error(error.data?.details ?? error.stack);
}
