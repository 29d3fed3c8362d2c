// node scripts/experiments/forgetting.mjs [--out FOLDER] [--only NAME,NAME] [--device auto|hardware|software] [--write]
// Measures how much the built-in model forgets in four variants of the same headless run, and prints a table.
// --only repeats some of them (or none: '') and takes the others from FOLDER. --write puts the table of all four into
// docs/FORGETTING.md. Fails if EWC or replay does not reduce forgetting enough, or learns too little.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../build.mjs';
import { writeTable } from '../doc-table.mjs';
import { runRecipe } from '../headless-run.mjs';

const page = path.join(root, 'docs/FORGETTING.md');
const self = 'scripts/experiments/forgetting.mjs';

/** The same data, steps and seed for all. There is no evaluation during training, so every run keeps its last step. */
const common = {
  version: 1,
  model: { source: 'builtin:stories' },
  dataset: { source: 'builtin:pirate-chat', base_text: 'builtin:base-text', max_length: 128, validation_split: 0.1 },
  objective: { type: 'sft', assistant_only_loss: true },
};
const training = {
  learning_rate: 1e-3,
  num_train_epochs: 2,
  per_device_train_batch_size: 8,
  gradient_accumulation_steps: 1,
  lr_scheduler_type: 'cosine',
  warmup_ratio: 0.1,
  weight_decay: 0,
  eval_steps: 0,
  early_stopping_patience: 0,
  seed: 42,
};
const full = { type: 'full' };
const runs = {
  full: { title: 'Full fine-tuning', method: full, training },
  ewc: { title: 'Full fine-tuning with EWC, λ = 20', method: full, training: { ...training, ewc_lambda: 20 } },
  replay: { title: 'Full fine-tuning with replay, 1/8', method: full, training: { ...training, replay_ratio: 0.125 } },
  lora: {
    title: 'LoRA, r = 16',
    method: { type: 'lora', r: 16, lora_alpha: 32, target_modules: 'all-linear' },
    training: { ...training, learning_rate: 2e-3 },
  },
};

const figure = (value) => value.toFixed(3);

/** A row of the table; `plain` is full fine-tuning's forgetting. */
function row({ title, training }, { forgetting: { before, after }, ...summary }, plain) {
  const lost = after - before;
  return [
    title,
    training.learning_rate.toString(),
    figure(summary.final_eval_loss),
    `${figure(before)} → ${figure(after)}`,
    figure(lost),
    plain === null ? '–' : `${Math.round((100 * lost) / plain)} %`,
    `${(summary.trainable_parameters / 1e6).toFixed(2)} M`,
  ];
}

function table(summaries) {
  const plain = summaries.full ? summaries.full.forgetting.after - summaries.full.forgetting.before : null;
  const head = [
    'Run',
    'Learning rate',
    'Target loss',
    'Base text loss',
    'Forgetting',
    'Relative',
    'Trained parameters',
  ];
  const rows = Object.entries(summaries).map(([name, summary]) => row(runs[name], summary, plain));
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** EWC and replay must at least halve the forgetting, with a target loss at most a tenth higher. */
function shortcomings({ full, ...others }) {
  if (!full) return [];
  const lost = ({ forgetting: { before, after } }) => after - before;
  return ['ewc', 'replay'].flatMap((name) => {
    const given = others[name];
    if (!given) return [];
    return [
      ...(lost(given) <= 0.5 * lost(full) ? [] : [`${name} forgets more than half as much as full fine-tuning.`]),
      ...(given.final_eval_loss <= 1.1 * full.final_eval_loss ? [] : [`${name} learns too little.`]),
    ];
  });
}

/** Prints a run's progress every 30 seconds. */
function steps() {
  let last = Date.now();
  return (text) => {
    if (Date.now() - last < 30_000) return;
    console.error(`  ${text}`);
    last = Date.now();
  };
}

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(tmpdir(), 'tabtune-forgetting') },
    only: { type: 'string' },
    device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
    write: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',').filter(Boolean) ?? Object.keys(runs);
const unknown = names.find((name) => !(name in runs));
if (unknown !== undefined)
  throw new Error(`There is no run called ${unknown}. Choose from ${Object.keys(runs).join(', ')}.`);

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('Interrupted.')));
mkdirSync(values.out, { recursive: true });
for (const name of names) {
  const { method, training } = runs[name];
  const recipeFile = path.join(values.out, `${name}.json`);
  writeFileSync(recipeFile, `${JSON.stringify({ ...common, name, method, training }, null, 2)}\n`);
  console.error(`${name} …`);
  await runRecipe({
    recipeFile,
    out: path.join(values.out, name),
    device: values.device,
    signal: interrupted.signal,
    note: (text) => console.error(text),
    progress: steps(),
    onRow: ({ step, eval_loss, metrics }) => {
      if (eval_loss === undefined) return;
      console.error(`  step ${step}: target ${figure(eval_loss)}, base text ${figure(metrics.base_text_loss)}`);
    },
  });
}
const summaries = {};
for (const name of Object.keys(runs)) {
  const file = path.join(values.out, name, 'summary.json');
  if (existsSync(file)) summaries[name] = JSON.parse(readFileSync(file, 'utf8'));
}
console.log(table(summaries));
const short = shortcomings(summaries);
for (const line of short) console.error(line);
if (short.length > 0) process.exitCode = 1;
if (values.write) {
  const missing = Object.keys(runs).filter((name) => !(name in summaries));
  if (missing.length > 0) throw new Error(`${values.out} has no results of ${missing.join(', ')}.`);
  writeTable(page, self, table(summaries));
}
