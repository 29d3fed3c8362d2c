// A short run without a screen, as a person would start it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runRecipe } from '../headless-run.mjs';

/**
 * Trains a LoRA on a GGUF file for three steps on all `rows` at once, which must bring the loss down. `options` go to `runRecipe`. Returns
 * its summary.
 */
export async function threeSteps({ report, folder, name, model, rows, learningRate, ...options }) {
  const dataset = path.join(folder, `${name}.jsonl`);
  writeFileSync(dataset, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const recipeFile = path.join(folder, `${name}.json`);
  const recipe = {
    version: 1,
    name,
    model: { source: `file:${model}` },
    dataset: { source: `file:${dataset}`, validation_split: 0, shuffle: false },
    method: { type: 'lora', r: 8, lora_alpha: 16 },
    training: {
      max_steps: 3,
      learning_rate: learningRate,
      lr_scheduler_type: 'constant',
      warmup_ratio: 0,
      per_device_train_batch_size: rows.length,
      gradient_accumulation_steps: 1,
      eval_steps: 0,
      early_stopping_patience: 0,
    },
  };
  writeFileSync(recipeFile, JSON.stringify(recipe));
  const lines = [];
  const summary = await runRecipe({
    ...{ recipeFile, out: path.join(folder, name), device: process.env.TABTUNE_GPU ?? 'auto' },
    ...{ note: console.log, progress: () => {}, onRow: (line) => lines.push(line), ...options },
  });
  const losses = lines.filter((line) => 'loss' in line).map(({ loss }) => loss);
  const falling = losses.length === 3 && losses[0] > losses[1] && losses[1] > losses[2];
  report.check(`${name}: the loss falls in three steps`, falling, losses.map((loss) => loss.toFixed(4)).join(' > '));
  return summary;
}
