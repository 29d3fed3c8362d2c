/** Answers and rewards for runs that only measure: a trial of a few steps, and a dry run. */
import { generateBatch as answersTo } from '../generation/generate-batch';
import type { BatchAnswer } from '../generation/options';
import { beginTogether, roomFor } from '../generation/room';
import { inference, type Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import type { Objective, PrepareTools } from '../objectives/objective';
import type { Outside } from './pass';

/** Nothing is learned that is kept: every other answer is good, so that a step has something to learn. */
export const EVERY_OTHER: Outside = {
  score: async (answers) => ({
    ...{ names: ['trial'], weights: [1] },
    ...{ values: answers.map((_, i) => [i % 2]), texts: answers.map(() => '') },
  }),
  show: () => {},
};

/** From then on the buffers of a token are reused. */
export const SAMPLED = 3;

/** Further micro-batches add no memory. */
const ENOUGH_BATCHES = 2;

/** Answers of full length, of which only the first tokens are gone through: the cache is as large as for all of them. */
function longAnswers(model: LanguageModel, method: Method): PrepareTools['generateBatch'] {
  const hooks = method.hooks(inference());
  return async (prompts, options): Promise<BatchAnswer[]> => {
    // Asked once for the rows that are answered at once, then for every pass; further rows take no more memory.
    let passes = 1 + beginTogether(prompts).length + SAMPLED;
    await answersTo(model, hooks, prompts, { ...options, stopTokenIds: [] }, () => passes-- <= 0);
    return prompts.map((prompt) => {
      const { room } = roomFor(model, hooks, prompt, options.maxNewTokens);
      return { ids: new Int32Array(room), finished: true, logProbs: new Float32Array(room) };
    });
  };
}

/** What an objective does before a step and in place of an evaluation, with such answers. `begins` is told of each time. */
export function rehearsed(
  { prepare, evaluate }: Objective,
  model: LanguageModel,
  method: Method,
  begins: () => void,
): Pick<Objective, 'prepare' | 'evaluate'> {
  const generateBatch = longAnswers(model, method);
  const own = (tools: PrepareTools): PrepareTools => {
    begins();
    return { ...tools, generateBatch };
  };
  return {
    ...(prepare && {
      prepare: async (tools, batches) => (await prepare(own(tools), batches)).slice(0, ENOUGH_BATCHES),
    }),
    ...(evaluate && { evaluate: (tools, batches) => evaluate(own(tools), batches) }),
  };
}
