/** A method put on a model: for a run, for answers, and for everything else that uses what was trained. */
import type { TaskData } from '../../base/task';
import type { MethodSection } from '../../recipe/types';
import { createMethod, type MethodOptions, opensOutput } from '../methods';
import type { Method } from '../methods/method';
import type { NamedTensors } from '../methods/tensors';
import type { LanguageModel } from '../models/model';
import { withOwnOutput } from '../models/own-output';
import type { TaskHeadOptions } from '../models/task-head';
import { withTaskHead } from '../models/with-head';

/** A method on its model, which has a head for the task if there is one. */
export interface Attached {
  model: LanguageModel;
  method: Method;
  /** Frees the method and the head; the base stays. */
  dispose(): void;
}

export interface AttachOptions extends Omit<MethodOptions, 'values'> {
  values?(model: LanguageModel): NamedTensors | undefined;
  /** Null without a head. */
  task: TaskData | null;
  head?: Omit<TaskHeadOptions, 'seed'>;
}

export async function attachMethod(
  base: LanguageModel,
  section: MethodSection,
  { task, head, values, ...options }: AttachOptions,
): Promise<Attached> {
  const model = task
    ? await withTaskHead(base, task, { seed: options.seed, ...head })
    : opensOutput(base, section)
      ? withOwnOutput(base)
      : base;
  const dropHead = () => {
    if (model !== base) model.dispose();
  };
  try {
    const method = await createMethod(model, section, { ...options, values: values?.(model) });
    const dispose = () => {
      method.dispose();
      dropHead();
    };
    return { model, method, dispose };
  } catch (error) {
    dropHead();
    throw error;
  }
}
