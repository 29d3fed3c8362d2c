// GGUF files written again: with every tensor as F32 by the gguf package, or quantised by llama.cpp.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { llamaCppFolder } from './llama-cpp.mjs';

const python3 = (python, script, ...args) => run(python, [path.join(root, 'scripts/interop', script), ...args]);

/** The folder of libllama. */
async function libraries() {
  const platforms = path.join(await llamaCppFolder(), 'node_modules/@node-llama-cpp');
  const [platform] = readdirSync(platforms);
  const bins = path.join(platforms, platform, 'bins');
  return path.join(bins, readdirSync(bins)[0]);
}

/** Writes a file again as F32, with an adapter's file merged in if one is named. */
export async function dequantize(python, model, out, adapter = null) {
  if ((await python3(python, 'dequantize_gguf.py', model, out, ...(adapter ? [adapter] : []))) !== 0) {
    throw new Error(`${model} could not be written as F32.`);
  }
}

/** Has llama.cpp quantise a file to Q8_0, Q4_0 or Q4_K_M. */
export async function quantize(python, plain, out, type) {
  if ((await python3(python, 'llama_quantize.py', await libraries(), plain, out, type)) !== 0) {
    throw new Error(`llama.cpp did not quantise ${plain} to ${type}.`);
  }
}
