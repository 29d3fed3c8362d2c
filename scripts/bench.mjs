// npm run bench [-- export] [--json FILE] [--filter TEXT] [--device auto|hardware|software] [--timeout SECONDS]
//               [--runtime browser|node]
// Runs bench/index.html in headless Chrome and prints the results: Tabtune and the reference in the same page, a step beside jax-js, a
// larger model in several precisions, every method compared with LoRA, batched decoding, and steps of DPO and GRPO. Then an export by
// the app, which `export` runs alone. --filter runs only rows with TEXT in their names. --runtime node runs the rows through Dawn in
// Node, with --device software on Mesa's llvmpipe, and exports nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { EXPORT_ROW, measureExport } from './bench-export.mjs';
import { ensureNodeModule, root } from './build.mjs';
import { openHeadless } from './headless-browser.mjs';
import { findDriver } from './llvmpipe.mjs';
import { measureInDawn } from './measure-in-dawn.mjs';
import { serve } from './serve.mjs';
import { table } from './text-table.mjs';

const number = (value, digits) => (value === null || value === undefined ? '–' : Number(value).toFixed(digits));

const times = (ratio) => (ratio === null || ratio === undefined ? '–' : `${number(ratio, 2)}x`);
const megabytes = (bytes) => (bytes === null || bytes === undefined ? '–' : number(bytes / 1e6, 1));

function printMethods(rows) {
  const head = ['method', 'step ms', 'vs LoRA', 'GPU MB', 'vs LoRA', 'dispatches', 'trained parameters'];
  const cells = rows.map((row) => [
    row.name,
    number(row.ours_ms, 2),
    times(row.step_to_lora),
    megabytes(row.gpu_bytes),
    times(row.bytes_to_lora),
    number(row.dispatches, 0),
    number(row.trainable_parameters, 0),
  ]);
  console.log(`\n${table([head, ...cells])}`);
}

function printResult({ adapter, rows: all }) {
  const name =
    typeof adapter === 'string' ? adapter : adapter?.description || adapter?.vendor || JSON.stringify(adapter);
  console.log(`\nWebGPU adapter: ${name}\n`);
  const methods = all.filter((row) => 'step_to_lora' in row);
  const decoding = all.filter((row) => 'tokens_per_second' in row);
  const dpo = all.filter((row) => 'to_two_sft' in row);
  const grpo = all.filter((row) => 'rollout_ms' in row);
  const exported = all.filter((row) => 'js_peak_bytes' in row);
  const apart = new Set([...methods, ...decoding, ...dpo, ...grpo, ...exported]);
  const rows = all.filter((row) => !apart.has(row));
  if (rows.length > 0) printSteps(rows);
  if (methods.length > 0) printMethods(methods);
  if (decoding.length > 0) printDecoding(decoding);
  if (dpo.length > 0) printDpo(dpo);
  if (grpo.length > 0) printGrpo(grpo);
  if (exported.length > 0) printExports(exported);
}

function printExports(rows) {
  const head = ['export', 'seconds', 'of them writing', 'file MB', 'peak JavaScript MB'];
  const cells = rows.map((row) => [
    row.name,
    number(row.ours_ms / 1000, 1),
    number(row.write_ms / 1000, 1),
    megabytes(row.file_bytes),
    megabytes(row.js_peak_bytes),
  ]);
  console.log(`\n${table([head, ...cells])}`);
}

function printDpo(rows) {
  const head = ['preferences', 'step ms', 'two SFT steps ms', 'vs two SFT steps'];
  const cells = rows.map((row) => [row.name, number(row.ours_ms, 2), number(row.two_sft_ms, 2), times(row.to_two_sft)]);
  console.log(`\n${table([head, ...cells])}`);
}

function printGrpo(rows) {
  const head = ['rewards', 'step ms', 'rollout ms', 'reward ms', 'update ms'];
  const parts = ['ours_ms', 'rollout_ms', 'reward_ms', 'update_ms'];
  const cells = rows.map((row) => [row.name, ...parts.map((part) => number(row[part], 2))]);
  console.log(`\n${table([head, ...cells])}`);
}

function printDecoding(rows) {
  const head = ['decoding', 'step ms', 'tokens/s', 'vs one row'];
  const cells = rows.map((row) => [
    row.name,
    number(row.ours_ms, 2),
    number(row.tokens_per_second, 1),
    times(row.cost_to_one),
  ]);
  console.log(`\n${table([head, ...cells])}`);
}

function printSteps(rows) {
  const speed = ['forward tokens/s', 'step tokens/s', 'bits per linear weight', 'bits per parameter'];
  const head = ['benchmark', 'Tabtune ms', 'reference ms', 'ratio', 'dispatches', 'GPU MB', ...speed];
  const cells = rows.map((row) => [
    row.name,
    number(row.ours_ms, 2),
    number(row.reference_ms, 2),
    times(row.ratio),
    number(row.dispatches, 0),
    megabytes(row.gpu_bytes),
    number(row.forward_tokens_per_second, 1),
    number(row.step_tokens_per_second, 1),
    number(row.linear_bits, 2),
    number(row.model_bits, 2),
  ]);
  console.log(table([head, ...cells]));
}

const scratch = mkdtempSync(path.join(tmpdir(), 'tabtune-bench-'));
let server;
let browser;

/** The page's rows. */
async function measurePage({ filter, device, timeout }) {
  // Built, because the dev server may reload the page in the middle of a measurement.
  const outDir = path.join(scratch, 'site');
  const input = path.join(root, 'bench/index.html');
  await build({ root, logLevel: 'warn', build: { outDir, emptyOutDir: true, rolldownOptions: { input } } });
  server = await serve(outDir);
  const query = filter ? `?filter=${encodeURIComponent(filter)}` : '';
  const address = `${server.address}/bench/index.html${query}`;
  browser = await openHeadless(address, { profile: path.join(scratch, 'profile'), device });
  // A WebGPU error recurs with every step; print it once.
  const said = new Set();
  browser.page.on('console', (message) => {
    const isError = ['error', 'warning'].includes(message.type());
    if (!isError) console.log(message.text());
    else if (said.size < 20 && !said.has(message.text())) console.error(message.text());
    if (isError) said.add(message.text());
  });
  browser.page.on('pageerror', (error) => console.error(error.message));
  const handle = await browser.page.waitForFunction(() => window.benchResult, undefined, {
    timeout: Number(timeout) * 1000,
  });
  const result = await handle.jsonValue();
  if (!Array.isArray(result.rows)) throw new Error(`The benchmark failed: ${result.error ?? JSON.stringify(result)}`);
  await browser.close();
  return result;
}

/** The same rows in a process of Node. */
async function measureInNode({ filter = '', device, timeout }, signal) {
  const module = await ensureNodeModule('bench/run.ts');
  return measureInDawn(module, 'bench', {
    ...{ given: { device, filter }, env: device === 'software' ? findDriver() : {} },
    ...{ onProgress: console.log, timeoutMs: Number(timeout) * 1000, signal },
  });
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      filter: { type: 'string' },
      device: { type: 'string', default: process.env.TABTUNE_GPU ?? 'auto' },
      timeout: { type: 'string', default: '1800' },
      runtime: { type: 'string', default: 'browser' },
    },
  });
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.once(name, () => {
      browser?.close();
      stopped.abort(new Error('Stopped.'));
    });
  }

  const unknown = positionals.find((name) => name !== 'export');
  if (unknown) throw new Error(`There is no part ${unknown}; there is export.`);

  const { filter = '', device, runtime } = values;
  if (!['browser', 'node'].includes(runtime)) throw new Error(`--runtime ${runtime}: it is browser or node.`);
  const inNode = runtime === 'node';
  if (inNode && positionals.length > 0) throw new Error('The export is measured in a browser.');
  let result = { adapter: null, rows: [] };
  if (positionals.length === 0) result = await (inNode ? measureInNode(values, stopped.signal) : measurePage(values));
  if (EXPORT_ROW.includes(filter) && !inNode) {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(Number(values.timeout) * 1000)]);
    const folder = path.join(scratch, 'export');
    const { adapter, row } = await measureExport({ folder, device, signal, log: console.log });
    result = { adapter: result.adapter ?? adapter, rows: [...result.rows, row] };
  }
  if (result.rows.length === 0) throw new Error('The benchmark measured nothing.');
  printResult(result);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser?.close().catch(() => {});
  await server?.close();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
