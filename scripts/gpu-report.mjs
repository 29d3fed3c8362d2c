// npm run gpu-report [-- --json FILE] [--adapter NAME] [--device auto|hardware|software] [--python PYTHON | --no-pytorch]
// The benchmark of the Model page through Dawn in Node, without a browser, and beside it LoRA steps and answers in PyTorch + PEFT on the same
// card, where a Python with torch, transformers and PEFT is found. On a software GPU both get the small shapes, and PyTorch runs on the CPU.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureNodeModules, root } from './build.mjs';
import { findDriver } from './llvmpipe.mjs';
import { measureInDawn } from './measure-in-dawn.mjs';
import { table } from './text-table.mjs';
import { probeAdapter } from './webgpu-node.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    adapter: { type: 'string' },
    device: { type: 'string', default: 'auto' },
    python: { type: 'string' },
    'no-pytorch': { type: 'boolean', default: false },
  },
});
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The environment in which Dawn finds a GPU: our own, or one with a driver that runs on the CPU. */
function environment() {
  if (values.device !== 'software' && probeAdapter().adapter) return {};
  if (values.device === 'hardware') return {};
  console.log('No GPU is used: a driver that runs on the CPU takes its place, and shapes are reduced.');
  return findDriver();
}

function measureDevice(module, env) {
  let shown = '';
  return measureInDawn(module, 'device', {
    ...{ given: { device: values.device, adapter: values.adapter ?? null }, env },
    onProgress({ stage, what, done, total }) {
      if (shown === `${stage} ${what}`) return;
      shown = `${stage} ${what}`;
      console.log(`  ${stage} ${done + 1}/${total}: ${what}`);
    },
  });
}

/** A Python that has what the comparison needs; null if there is none. */
function findPyTorch() {
  const names = values.python
    ? [values.python]
    : [process.env.TABTUNE_PYTHON, path.join(root, '.venv', 'bin', 'python'), 'python3', 'python'];
  const works = (name) => spawnSync(name, ['-c', 'import torch, transformers, peft'], { stdio: 'ignore' }).status === 0;
  return names.find((name) => name && works(name)) ?? null;
}

async function measurePyTorch(python, plan) {
  const child = spawn(python, [here('gpu-report/pytorch.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdin.end(JSON.stringify(plan));
  const rows = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const row = JSON.parse(line);
    rows.push(row);
    if (row.kind !== 'about')
      console.log(`  PyTorch ${row.dtype ?? ''}: ${row.model ?? row.left_out} ${row.kind ?? row.why}`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`PyTorch ended with exit code ${code}.\n${said}`);
  return rows;
}

const figure = (value) =>
  value === undefined ? '–' : new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 }).format(value);

/** Tokens a second of Tabtune's rows, beside PyTorch's of the same shapes. */
function compared(ours, theirs, shapeOf, rate) {
  return ours.map((row) => {
    const same = (dtype) =>
      theirs.find((one) => one.dtype === dtype && one.model === row.model && shapeOf(one) === shapeOf(row))?.[rate];
    const [full, half] = [same('float32'), same('bfloat16')];
    const share = (other) => (other === undefined ? '–' : `${figure((100 * row[rate]) / other)} %`);
    const name = `${row.model} ${row.format} ${shapeOf(row)}`;
    return [name, figure(row[rate]), figure(full), share(full), figure(half), share(half)];
  });
}

function print(result, rows) {
  const { floors, adapter, fingerprint } = result;
  const about = rows.find(({ kind }) => kind === 'about');
  console.log(`\n${adapter.description || `${adapter.vendor} ${adapter.architecture}`}, through Dawn in Node`);
  if (result.reduced) console.log('Reduced shapes on a CPU: these figures say nothing about a graphics card.');
  if (about) console.log(`PyTorch ${about.torch} on ${about.device}`);
  const f16 = floors.f16_tflops ? `, f16 ${figure(floors.f16_tflops.median)}` : '';
  console.log(
    `Peak f32 ${figure(floors.f32_tflops.median)}${f16} TFLOP/s, ${figure(floors.bandwidth_gb_s.median)} GB/s, ` +
      `${figure(floors.dispatch_500_us.median)} µs a dispatch, ${figure(floors.map_ms.median)} ms to read a value back`,
  );
  const best = Math.max(...result.products.map(({ share }) => share));
  if (result.products.length > 0) console.log(`Best product: ${figure(100 * best)} % of the f32 peak`);
  console.log(
    `Losses ${fingerprint.losses.map((loss) => loss.toFixed(5)).join(', ')}: ${fingerprint.agrees ? 'as' : 'NOT as'} PyTorch's`,
  );
  const heads = ['Tabtune', 'PyTorch float32', 'of it', 'PyTorch bfloat16', 'of it'];
  const steps = rows.filter(({ kind }) => kind === 'step');
  const answers = rows.filter(({ kind }) => kind === 'answer');
  const shape = ({ batch, length }) => `${batch}×${length}`;
  const prompt = ({ prompt: tokens }) => `after ${tokens}`;
  console.log(
    `\n${table([['LoRA steps, tokens/s', ...heads], ...compared(result.steps, steps, shape, 'tokens_per_second')])}`,
  );
  for (const [title, rate] of [
    ['reading prompts, tokens/s', 'prefill_tokens_per_second'],
    ['writing answers, tokens/s', 'decode_tokens_per_second'],
  ]) {
    console.log(`\n${table([[title, ...heads], ...compared(result.decode, answers, prompt, rate)])}`);
  }
  for (const { what, why } of [
    ...result.left_out,
    ...rows.flatMap((row) => (row.left_out ? [{ what: row.left_out, why: row.why }] : [])),
  ]) {
    console.log(`Not measured: ${what}: ${why}`);
  }
}

try {
  const folder = await ensureNodeModules('benchmark', {
    service: 'src/workers/benchmark/service.ts',
    shapes: 'src/engine/benchmark/shapes.ts',
    result: 'src/benchmark/result.ts',
  });
  const from = (name) => import(pathToFileURL(path.join(folder, `${name}.mjs`)).href);
  console.log('Measuring through Dawn');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const measured = await measureDevice(path.join(folder, 'service.mjs'), environment());
  const { asLine, readResult } = await from('result');
  const whole = {
    ...measured,
    ...{ app: version, when: new Date().toISOString(), browser: `Node ${process.versions.node}, Dawn`, visible: true },
  };
  // What is printed and stored is what anybody else can read.
  const result = readResult(asLine(whole));
  const python = values['no-pytorch'] ? null : findPyTorch();
  let rows = [];
  if (python) {
    const { cardPlan, cpuPlan } = await from('shapes');
    rows = await measurePyTorch(python, result.reduced ? cpuPlan : cardPlan);
  } else if (!values['no-pytorch']) {
    console.log('No Python with torch, transformers and PEFT was found: --python names one.');
  }
  print(result, rows);
  if (values.json) {
    mkdirSync(path.dirname(path.resolve(values.json)), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify({ tabtune: result, pytorch: rows }, null, 1)}\n`);
    console.log(`\nWritten to ${values.json}`);
  }
  if (!result.fingerprint.agrees) process.exitCode = 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
