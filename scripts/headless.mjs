// npm run headless -- RECIPE.json --out DIR: runs a recipe in headless Chrome, or in Node.
import { parseArgs } from 'node:util';
import { RunError, runRecipe } from './headless-run.mjs';
import { starters } from './processes.mjs';

const usage = `Usage: npm run headless -- RECIPE.json --out DIR [--export ID]... [--runtime browser|node] [--device auto|hardware|software] [--adapter NAME] [--kernels auto|register|quad|tile|split] [--cache DIR] [--timeout SECONDS]

Writes DIR/metrics.jsonl (a line per step and evaluation), DIR/summary.json and DIR/adapter (a PEFT folder, or an AdapterHub
folder for bottleneck adapters). --export, as often as you like, writes more: merged-f32, merged-bf16 or merged-f16 (DIR/model, the
base model with the adapter merged in, as a folder for transformers), and others into a folder of their own name; docs/EXPORTS.md
lists them. Methods that train the model's own weights write DIR/model, in f32 unless --export says otherwise, and no adapter.
Each export is read back and compared with the model before it is written; summary.json has the figures.
file:PATH in the recipe is absolute, or relative to the recipe or to the current folder.
hf:ORG/NAME[@REVISION] is downloaded once and kept in --cache (default: TABTUNE_CACHE, or tabtune in your cache folder).
--runtime node needs no browser: it runs in Node, with WebGPU from the package webgpu. --adapter chooses a GPU there by a part of its name.
--kernels insists on one way to compute products, to find out what differs between two cards; auto chooses for each.
HF_TOKEN and HF_ENDPOINT work as in Hugging Face's own tools.`;

const KERNELS = ['auto', 'register', 'quad', 'tile', 'split'];

class UsageError extends Error {}

function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
        runtime: { type: 'string', default: 'browser' },
        adapter: { type: 'string' },
        kernels: { type: 'string', default: 'auto' },
        export: { type: 'string', multiple: true, default: [] },
        merged: { type: 'string' },
        cache: { type: 'string' },
        timeout: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  if (positionals.length !== 1) throw new UsageError('Give exactly one recipe file.');
  if (!values.out) throw new UsageError('Give the output folder with --out DIR.');
  if (!['auto', 'hardware', 'software'].includes(values.device)) {
    throw new UsageError(`--device must be auto, hardware or software, not ${values.device}.`);
  }
  if (!['browser', 'node'].includes(values.runtime)) {
    throw new UsageError(`--runtime must be browser or node, not ${values.runtime}.`);
  }
  if (!KERNELS.includes(values.kernels)) {
    throw new UsageError(
      `--kernels must be ${KERNELS.slice(0, -1).join(', ')} or ${KERNELS.at(-1)}, not ${values.kernels}.`,
    );
  }
  if (values.adapter !== undefined && values.runtime !== 'node') {
    throw new UsageError('--adapter needs --runtime node: a browser chooses its GPU itself.');
  }
  // What --export merged-… was called before.
  if (values.merged !== undefined && !['f32', 'bf16', 'f16'].includes(values.merged.toLowerCase())) {
    throw new UsageError(`--merged must be f32, bf16 or f16, not ${values.merged}.`);
  }
  const merged = values.merged === undefined ? [] : [`merged-${values.merged.toLowerCase()}`];
  const exports = [...new Set([...values.export, ...merged])];
  const timeout = Number(values.timeout);
  if (!(timeout >= 0)) throw new UsageError(`--timeout must be a number of seconds, not ${values.timeout}.`);
  const { out, device, runtime, adapter = null, kernels, cache } = values;
  return { recipeFile: positionals[0], out, device, runtime, adapter, kernels, exports, cache, timeout };
}

/** npm passes Ctrl+C on, though the terminal has sent it to us already: within this time, two are one. */
const sameSignalMs = 500;

/**
 * npm starts us through a shell, and a SIGTERM to npm ends the shell without telling us; a SIGKILL ends npm alone. Run in any
 * other way, we outlive who started us, as `nohup` wants it.
 */
function whenNpmEnds(stop) {
  if (!process.env.npm_lifecycle_event) return;
  const before = starters();
  const timer = setInterval(() => {
    if (starters() === before) return;
    clearInterval(timer);
    stop();
  }, 250);
  timer.unref();
}

/** On a terminal, one line that is overwritten; elsewhere, a new line every few seconds. */
function progressLine() {
  const { stderr } = process;
  let drawn = false;
  // Not right away, so that bad input ends with a single line and nothing before it.
  let last = Date.now();
  const clear = () => {
    if (drawn) stderr.write('\r\u001b[K');
    drawn = false;
  };
  return {
    note(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    progress(text) {
      if (stderr.isTTY) {
        stderr.write(`\r\u001b[K${text.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`);
        drawn = true;
      } else if (Date.now() - last > 5000) {
        stderr.write(`${text}\n`);
        last = Date.now();
      }
    },
    clear,
  };
}

const line = progressLine();
try {
  const given = readArguments();
  if (given === null) {
    console.log(usage);
  } else {
    const { timeout, ...options } = given;
    const abort = new AbortController();
    let stoppedAt = null;
    const end = (message, code) => {
      if (stoppedAt === null) {
        stoppedAt = Date.now();
        process.exitCode = code;
        abort.abort(new RunError({ code: 'cancelled', message }));
      } else if (Date.now() - stoppedAt > sameSignalMs) {
        // Somebody has waited long enough. What listens for the end of the process ends the browser and tidies up.
        line.clear();
        console.error(message);
        process.exit(code);
      }
    };
    process.on('SIGINT', () => end('Stopped by Ctrl+C; nothing was written.', 130));
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => end('Stopped; nothing was written.', 143));
    whenNpmEnds(() => end('Stopped with npm; nothing was written.', 143));
    if (timeout > 0) {
      setTimeout(() => end(`Not finished after ${timeout} s; nothing was written.`, 1), timeout * 1000).unref();
    }
    const summary = await runRecipe({ ...options, signal: abort.signal, note: line.note, progress: line.progress });
    // It is written, whatever was asked for in the last moment.
    process.exitCode = 0;
    line.clear();
    const loss = summary.best_eval_loss === null ? '' : `, best eval loss ${summary.best_eval_loss.toFixed(4)}`;
    console.log(`${summary.steps} steps in ${summary.seconds.toFixed(1)} s${loss}. Written to ${options.out}`);
  }
} catch (error) {
  line.clear();
  process.exitCode ||= 1;
  console.error(error.message);
  if (error instanceof UsageError) console.error(`\n${usage}`);
  // One line for errors that the user can fix; all details for bugs of ours.
  const ours = error.data?.code === 'internal' || process.env.TABTUNE_DEBUG;
  if (ours && error.data?.details) console.error(error.data.details);
}
