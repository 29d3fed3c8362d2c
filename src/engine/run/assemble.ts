/**
 * A run put together: the model with its head, the method, the optimiser with the method's rates, the objective, the
 * reference and the weight penalty. Training gives it real tensors, a dry run a counting device and zeros; everything
 * else is the same.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { TaskData } from '../../base/task';
import type { Batch, BatchKind } from '../../data/types';
import type { MethodSection, ObjectiveSection, TrainingSection } from '../../recipe/types';
import { createMethod } from '../methods';
import type { Method } from '../methods/method';
import type { NamedTensors } from '../methods/tensors';
import type { LanguageModel } from '../models/model';
import { createObjective } from '../objectives';
import type { Objective } from '../objectives/objective';
import { createOptimizer, type Optimizer } from '../optim/optimizer';
import { trimPool } from '../webgpu/pool';
import { type Attached, type AttachOptions, attachMethod } from './attach';
import { type BaseBatches, type BaseText, baseTextOf } from './base-text';
import { estimateFisher, type FisherSetup } from './estimate-fisher';
import { ofEither, trainedTensors, VALUE_TASK } from './value-model';

export interface RunOptions {
  method: MethodSection;
  objective: ObjectiveSection;
  training: TrainingSection;
  /** The labels of the data; null without any. */
  task: TaskData | null;
  /** The tokenizer's; null if it has none. */
  maskTokenId: number | null;
  head?: AttachOptions['head'];
  /** What the method's tensors start with, on the model with its head; new ones when undefined. */
  values(model: LanguageModel): NamedTensors | undefined;
  /** The same of the value model's; new ones when left out. */
  valueModel?: RunOptions['values'];
  initText?: Int32Array;
  /** The same of the adapter that the run continues, to compare the policy with; null for a new one. */
  continued: RunOptions['values'] | null;
  /** Null without base text. */
  baseText: ((kind: BatchKind) => BaseBatches) | null;
  /** How much the base needs each weight for some texts; null when the run was stopped meanwhile. */
  fisher?(setup: FisherSetup, texts: Batch[]): Promise<tf.Tensor | null>;
  /** Called once the methods' tensors exist, before those of the optimiser do. */
  attached?(methods: Method[]): void;
}

export interface AssembledRun {
  attached: Attached;
  optimizer: Optimizer;
  objective: Objective;
  /**
   * The adapter as it was loaded, for an objective that compares with it; null if it compares with the base, or not at
   * all.
   */
  reference: Method | null;
  /** The value model, if the objective trains one. */
  value: Attached | null;
  baseText: BaseText | null;
  /** Frees everything but what is attached. */
  release(): void;
  dispose(): void;
}

export async function assembleRun(base: LanguageModel, options: RunOptions): Promise<AssembledRun> {
  const { method: section, training, task, maskTokenId, head, values, initText, continued } = options;
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  const release = () => {
    for (const thing of owned.splice(1).reverse()) thing.dispose();
  };
  const dispose = () => {
    release();
    for (const thing of owned.splice(0)) thing.dispose();
  };
  try {
    const attached = own(await attachMethod(base, section, { seed: training.seed, task, head, values, initText }));
    const { model, method } = attached;
    const objective = createObjective(options.objective, { maskTokenId, vocabSize: model.vocabSize, task });
    const compares = objective.usesReference === true && continued !== null;
    const loaded = compares ? copied(continued(model)) : undefined;
    const reference = compares
      ? own(await createMethod(model, section, { seed: training.seed, values: loaded, initText }))
      : null;
    const value = objective.usesValue
      ? own(
          await attachMethod(base, section, {
            ...{ seed: training.seed, task: VALUE_TASK, head, values: options.valueModel, initText },
          }),
        )
      : null;
    const methods = [method, ...(reference ? [reference] : []), ...(value ? [value.method] : [])];
    options.attached?.(methods);
    const rateIn = (of: Method) => (name: string) => of.rate?.(name) ?? 1;
    const rate = value ? ofEither(rateIn(method), rateIn(value.method)) : method.rate;
    // What the tensors were made with: steps want buffers of other sizes.
    trimPool();
    const optimizer = own(createOptimizer(trainedTensors(method, value), training, { rate }));
    const baseText = baseTextOf(model, { maskTokenId }, options.baseText);
    await penalizeDrift({ model, method, optimizer }, training, baseText, options.fisher);
    return { attached, optimizer, objective, reference, value, baseText, release, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The CPU backend trains the arrays that a method is made of. */
const copied = (values?: NamedTensors): NamedTensors | undefined =>
  values && new Map([...values].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));

/** Sets what EWC and L2-SP need; does nothing if both are off. */
async function penalizeDrift(
  run: Omit<FisherSetup, 'objective'>,
  { ewc_lambda: lambda, l2_sp_alpha: alpha }: TrainingSection,
  base: BaseText | null,
  fisherOf: NonNullable<RunOptions['fisher']> = estimateFisher,
): Promise<void> {
  if (lambda === 0 && alpha === 0) return;
  if (lambda === 0) {
    run.optimizer.setPenalty({ alpha });
    return;
  }
  if (!base) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'EWC needs text of the kind that the base was trained on, and a model that predicts its tokens.',
      where: 'dataset.base_text',
      action: 'Set dataset.base_text to a file of such text, or training.ewc_lambda to 0.',
    });
  }
  const fisher = await fisherOf({ ...run, objective: base.objective }, base.learned);
  if (fisher) run.optimizer.setPenalty({ alpha, lambda, fisher });
}
