/** What an objective can do between two steps: generate, read log-probabilities, wait for the page. */
import type { Batch } from '../../data/types';
import { generate } from '../generation/generate';
import { withoutTape } from '../kernels/tape';
import { inference } from '../methods/method';
import type { Draw } from '../objectives/objective';
import { readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { type PassSetup, referenceView, unrecordedView } from './pass';

/** The batches that a step is taken on: those of the data, or what the objective makes of them. */
export async function prepareBatches(
  setup: PassSetup,
  batches: Batch[],
  draw: Draw,
  stopped: () => boolean,
): Promise<Batch[]> {
  const { model, method, objective } = setup;
  if (!objective.prepare) return batches;
  const hooks = method?.hooks(inference()) ?? {};
  return objective.prepare(
    {
      policy: unrecordedView(model, hooks, 'policy'),
      reference: () => referenceView(setup),
      async read(compute) {
        beginWork();
        const tensor = withoutTape(compute);
        const values = readFloats(tensor);
        tensor.dispose();
        return values;
      },
      generate: (prompt, options) => generate(model, hooks, prompt, options),
      draw,
      stopped,
    },
    batches,
  );
}
