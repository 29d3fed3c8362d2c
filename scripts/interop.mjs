// npm run test:interop: trains adapters in headless Chrome and has real PEFT load them and compare logits.
// The last line is `N passed, N failed`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './build.mjs';
import { run } from './child.mjs';
import { runRecipe } from './headless-run.mjs';
import { findPython } from './python.mjs';

process.chdir(root);
const model = path.join(root, 'public/models/stories');
// Nothing is evaluated: that is most of a short run's time, and other tests see to it.
const dataset = { source: 'builtin:pirate-chat', validation_split: 0 };
const training = {
  max_steps: 4,
  learning_rate: 1e-3,
  warmup_ratio: 0,
  lr_scheduler_type: 'linear',
  eval_steps: 0,
  early_stopping_patience: 0,
};

/** The third goes on from what the first wrote, and reads model and dataset from files. */
const cases = [
  { name: 'all-linear', recipe: { version: 1, dataset, method: { type: 'lora', r: 8, lora_alpha: 16 }, training } },
  {
    name: 'rslora',
    recipe: {
      version: 1,
      dataset,
      method: { type: 'lora', r: 4, lora_alpha: 8, target_modules: ['q_proj', 'v_proj'], use_rslora: true },
      training,
    },
  },
  {
    name: 'continued',
    recipe: {
      version: 1,
      model: { source: `file:${model}` },
      dataset: { ...dataset, source: `file:${path.join(root, 'public/datasets/pirate-chat.jsonl')}` },
      method: { type: 'lora', init_adapter: 'file:all-linear/adapter' },
      training,
    },
  },
];

/** Token ids that exercise short and long texts; which ones does not matter, as long as they are always the same. */
function someIds() {
  const { vocab_size } = JSON.parse(readFileSync(path.join(model, 'config.json'), 'utf8'));
  let state = 12_345;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % vocab_size;
  };
  return [1, 7, 33, 100].map((length) => Array.from({ length }, next));
}

let passed = 0;
let failed = 0;
function report(name, ok, text) {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}${text ? `: ${text}` : ''}`);
}

const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-interop-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
try {
  const python = await findPython();
  for (const { name, recipe } of cases) {
    const recipeFile = path.join(folder, `${name}.json`);
    const out = path.join(folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(recipeFile, JSON.stringify({ name, ...recipe }));
    try {
      const quiet = () => {};
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(new Error('not done after 4 minutes')), 240_000);
      const summary = await runRecipe({
        ...{ recipeFile, out, device: process.env.TABTUNE_GPU ?? 'auto', signal: abort.signal },
        ...{ logitsOf: someIds(), note: console.log, progress: quiet },
      });
      clearTimeout(timer);
      report(`${name}: trained`, summary.steps === 4, `${summary.steps} steps, ${summary.seconds.toFixed(1)} s`);
    } catch (error) {
      report(`${name}: trained`, false, error.message);
      continue;
    }
    const check = [path.join(root, 'tests/oracle/check_adapter.py'), model, path.join(out, 'adapter')];
    const code = await run(python, [...check, path.join(out, 'logits.json')], { timeoutMs: 240_000 });
    report(`${name}: PEFT loads it, and the logits agree`, code === 0);
  }
} catch (error) {
  report('setting up', false, error.message);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
