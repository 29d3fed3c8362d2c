// Adapters of runs that learn from preferences and from rewards, loaded in PEFT as those of plain runs are. What such a run has
// besides (a reference, a value model) must not be in them: PEFT has no place for a tensor of it, and the check says so.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { tryCases } from './peft.mjs';

/** One of the examples, cut to a few large steps on small batches. */
function short(name, example, objective, { steps, batch }) {
  const recipe = JSON.parse(readFileSync(path.join(root, 'examples', `${example}.json`), 'utf8'));
  const { num_train_epochs: _, ...training } = recipe.training;
  return {
    name,
    recipe: {
      ...recipe,
      dataset: { ...recipe.dataset, validation_split: 0 },
      objective: { ...recipe.objective, ...objective },
      training: {
        ...training,
        ...{ max_steps: steps, per_device_train_batch_size: batch, learning_rate: 1e-3, warmup_ratio: 0 },
        ...{ lr_scheduler_type: 'constant', eval_steps: 0, early_stopping_patience: 0 },
      },
    },
  };
}

const pairs = { steps: 3, batch: 4 };
/** No two answers need have the same reward: two that do teach nothing. */
const rewards = [{ type: 'length', unit: 'characters', min: 200, max: 200, slope: 200 }];

const cases = [
  short('dpo', 'pirate-dpo', {}, pairs),
  short('kto', 'pirate-kto', {}, pairs),
  short('orpo', 'pirate-orpo', {}, pairs),
  short('simpo', 'pirate-cpo', {}, pairs),
  short('grpo', 'quiz-grpo', { rewards, max_completion_length: 16 }, { steps: 2, batch: 8 }),
  short('online-dpo', 'quiz-online-dpo', { rewards, max_new_tokens: 16 }, { steps: 2, batch: 2 }),
  ppo(),
];

/** Four steps on one turn of answers. */
function ppo() {
  const { name, recipe } = short('ppo', 'quiz-grpo', {}, { steps: 4, batch: 4 });
  return { name, recipe: { ...recipe, objective: { type: 'ppo', rewards, response_length: 16 } } };
}

export const answers = (tools) => tryCases(cases, tools);
