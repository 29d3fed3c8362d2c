/** The metrics and samples of a scripted run, which follow formulas. */
import type { ObjectiveType, Recipe } from '../../../src/recipe/types';
import type { MetricsRow, SampleAnswer } from '../../../src/storage/types';
import { classFigures } from './classes';

const noise = (i: number) => Math.sin(i * 12.9898) * 0.5 + Math.sin(i * 78.233) * 0.5;

export function stepRow(step: number, total: number, recipe: Recipe): MetricsRow {
  const { learning_rate, warmup_ratio } = recipe.training;
  const warm = Math.max(1, total * warmup_ratio);
  const rate = step < warm ? step / warm : 0.5 * (1 + Math.cos(Math.PI * ((step - warm) / Math.max(1, total - warm))));
  return {
    kind: 'step',
    step,
    epoch: (step / total) * recipe.training.num_train_epochs,
    loss: 1.2 + 2.2 * Math.exp(-step / (total / 5)) + noise(step) * 0.22,
    grad_norm: 0.6 + 1.4 * Math.exp(-step / (total / 4)) + Math.abs(noise(step * 3)) * 0.3,
    learning_rate: learning_rate * rate,
    tokens: step * 410,
    seconds: step * 0.21,
    gpu_bytes: 61_500_000,
  };
}

export function evalRow(step: number, total: number, objective: ObjectiveType = 'sft'): MetricsRow {
  const loss = 1.42 + 2.0 * Math.exp(-step / (total / 4.5));
  return {
    kind: 'eval',
    step,
    epoch: (step / total) * 3,
    eval_loss: loss,
    perplexity: Math.exp(loss),
    best: true,
    seconds: step * 0.21,
    ...classFigures(objective, 1 - Math.exp(-step / (total / 4))),
  };
}

/** Prompts, each with the answers of the base and of the tuned model. */
export const answers: [string, string, string][] = [
  [
    'What is a whale?',
    'A whale is a very big animal that lives in the sea. It is not a fish. It comes up to breathe.',
    'Arr, a whale be the biggest beast in all the seven seas, matey! She be no fish, for she comes up for a breath.',
  ],
  [
    'How do I bake bread?',
    'Mix flour, water, salt and yeast. Wait until it is big, then bake it in a hot oven.',
    'Ahoy! Mix yer flour with water, salt and yeast, let her rise like the mornin’ tide, then bake her hot, arr!',
  ],
];

export function samplesAt(step: number): SampleAnswer[] {
  const near = (rouge_l: number) => ({ rouge_l, exact_match: rouge_l === 1 ? 1 : 0 });
  return answers.map(([prompt, base, tuned], i) => ({
    step,
    prompt,
    base,
    tuned: step < 30 ? base : tuned,
    scores: { base: near(0.11), tuned: near(step < 30 ? 0.11 : i === 0 ? 1 : 0.62) },
  }));
}
