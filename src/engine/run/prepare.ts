/** What an objective can do between two steps: generate, read log-probabilities, wait for the page. */
import type { Batch } from '../../data/types';
import { generate } from '../generation/generate';
import { generateBatch } from '../generation/generate-batch';
import { withoutTape } from '../kernels/tape';
import { inference } from '../methods/method';
import type { PrepareTools } from '../objectives/objective';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { type PassSetup, referenceView, unrecordedView, valueView } from './pass';

/** Where a run is when its objective prepares a step. */
export interface Moment extends Pick<PrepareTools, 'step' | 'settings' | 'draw' | 'stopped' | 'report'> {}

/** The batches that a step is taken on: those of the data, or what the objective makes of them. */
export async function prepareBatches(setup: PassSetup, batches: Batch[], moment: Moment): Promise<Batch[]> {
  const { objective } = setup;
  return objective.prepare ? objective.prepare(toolsOf(setup, moment), batches) : batches;
}

/** What an objective works with outside a recorded step. */
export function toolsOf(setup: PassSetup, moment: Moment): PrepareTools {
  const { model, method, outside, tokens } = setup;
  const hooks = method?.hooks(inference()) ?? {};
  return {
    ...moment,
    policy: unrecordedView(model, hooks, 'policy'),
    get tokens() {
      if (!tokens) throw new Error('Nobody said which tokens end the answers of this run.');
      return tokens;
    },
    reference: () => referenceView(setup),
    value: () => valueView(setup),
    async read(compute) {
      beginWork();
      const tensor = withoutTape(compute);
      const values = readFloats(tensor);
      tensor.dispose();
      return values;
    },
    generate: (prompt, options) => generate(model, hooks, prompt, options),
    generateBatch: (prompts, options) => generateBatch(model, hooks, prompts, options, moment.stopped),
    score(answers) {
      if (!outside) throw new Error('Nothing scores the answers of this run.');
      return outside.score(answers);
    },
    show: (rollouts) => outside?.show(moment.step + 1, rollouts),
  };
}
