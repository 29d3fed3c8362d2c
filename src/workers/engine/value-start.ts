/**
 * Where PPO's value model begins: at the reward model that the answers are scored by, if that is an adapter of the same shape, as
 * TRL's users have it; otherwise with a new adapter and head.
 */
import type { NamedTensors } from '../../engine/methods/tensors';
import type { Optimizer } from '../../engine/optim/optimizer';
import { VALUE } from '../../engine/run/value-model';

/** Before the first step. True if all tensors of the value model have been set. */
export async function beginValueAt(start: NamedTensors, optimizer: Optimizer): Promise<boolean> {
  const state = await optimizer.save();
  const own = [...state].flatMap(([key, tensor]) => {
    // The weights, once as trained and once more where their moving average is what the run leaves behind.
    const match = /^(adapter|params)\//.exec(key);
    const name = match && key.slice(match[0].length);
    return name?.startsWith(VALUE) ? [{ key, tensor, given: start.get(name.slice(VALUE.length)) }] : [];
  });
  const fits = own.every(({ tensor, given }) => given && given.shape.join() === tensor.shape.join());
  if (own.length === 0 || !fits) return false;
  for (const { key, given } of own) state.set(key, { shape: given!.shape, data: given!.data.slice() });
  optimizer.load(state, 0);
  return true;
}
