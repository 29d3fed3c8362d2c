/** A run's checkpoints: saving them, and resuming from the latest. */
import { TabtuneError } from '../../base/errors';
import type { Method } from '../../engine/methods/method';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { Optimizer } from '../../engine/optim/optimizer';
import type { TrainState } from '../../engine/run/loop';
import { partOf, VALUE } from '../../engine/run/value-model';
import { readFloats } from '../../engine/webgpu/backend';
import { type LoadedCheckpoint, loadCheckpoint, saveCheckpoint } from '../../storage/checkpoints';

const ADAPTER = 'adapter/';
const CONSTANT = 'constant/';

/** `best` marks the best validation loss so far. */
export async function saveRunCheckpoint(
  runId: string,
  { method, value, optimizer }: { method: Method; value: Method | null; optimizer: Optimizer },
  state: TrainState,
  best: boolean,
): Promise<void> {
  const tensors = await optimizer.save();
  for (const [side, of] of [['', method] as const, ...(value ? [[VALUE, value] as const] : [])]) {
    for (const [name, tensor] of of.constants ?? []) {
      tensors.set(CONSTANT + side + name, { shape: tensor.shape, data: await readFloats(tensor) });
    }
  }
  const info = { runId, step: state.step, state: { ...state }, createdAt: Date.now() };
  // Together: a run resumes from its latest checkpoint and relies on the best one that this one speaks of.
  await saveCheckpoint(info, tensors, 'latest', ...(best ? (['best'] as const) : []));
}

export async function latestCheckpoint(runId: string): Promise<LoadedCheckpoint> {
  const checkpoint = await loadCheckpoint(runId, 'latest');
  if (checkpoint) return checkpoint;
  throw new TabtuneError({
    code: 'storage',
    message: 'The run has no checkpoint to resume from.',
    action: 'Start the run again.',
  });
}

/** The tensors of a checkpoint that make its method, or that of its value model: trained ones and constants. */
export function checkpointValues(tensors: NamedTensors, side: 'policy' | 'value' = 'policy'): NamedTensors {
  const values: NamedTensors = new Map();
  for (const [name, tensor] of tensors) {
    const prefix = [ADAPTER, CONSTANT].find((start) => name.startsWith(start));
    if (prefix) values.set(name.slice(prefix.length), tensor);
  }
  return partOf(side, values);
}

/**
 * What the method's tensors start with. A resumed run's get their values when its optimiser is loaded; until then they
 * are where the run began, since EWC and L2-SP penalise the distance from there. Constants come from the checkpoint:
 * computing PiSSA's singular values again would take too long. Then the trained tensors do too (`trained`).
 */
export function startingValues(
  loaded: NamedTensors | undefined,
  resumed: LoadedCheckpoint | null,
): { values: NamedTensors | undefined; valueModel: NamedTensors | undefined; trained: boolean } {
  const trained = resumed !== null && [...resumed.tensors.keys()].some((name) => name.startsWith(CONSTANT));
  return {
    values: trained ? checkpointValues(resumed.tensors) : loaded,
    valueModel: trained ? checkpointValues(resumed.tensors, 'value') : undefined,
    trained,
  };
}

export function restoreRun(checkpoint: LoadedCheckpoint, state: TrainState, optimizer: Optimizer): void {
  Object.assign(state, checkpoint.info.state);
  // Adam's bias correction counts updates, and every step makes one.
  optimizer.load(checkpoint.tensors, state.step);
}
