/** The parameters and memory of a scripted run: plausible sizes on a GPU with a supposed 4 GB free. */
import type { Verdict } from '../../../src/hub/descriptions';
import type { Recipe } from '../../../src/recipe/types';
import type { Forecast, MemoryAdvice, ModelInfo } from '../../../src/session/api';

const budget = 4e9;

export const verdictOf = (bytes: number): Verdict =>
  bytes < budget * 0.8 ? 'fits' : bytes < budget ? 'tight' : 'too_big';

/** The method trains the model itself, not an adapter. */
export const opens = ({ method }: Recipe) => method.type === 'full' || method.type === 'gradual_unfreezing';

/** Roughly how many parameters each method would train. */
export function trainedOf(recipe: Recipe, opened: ModelInfo): number {
  const { method } = recipe;
  if (opens(recipe)) return opened.parameters;
  const { layers, hiddenSize } = opened;
  if (method.type === 'lora') return method.r * layers * hiddenSize * 16;
  if (method.type === 'bottleneck') return layers * 2 * hiddenSize * Math.ceil(hiddenSize / method.reduction_factor);
  if (method.type === 'prefix_tuning') return method.num_virtual_tokens * layers * 2 * hiddenSize;
  return 'num_virtual_tokens' in method ? method.num_virtual_tokens * hiddenSize : layers * hiddenSize * 3;
}

const bytesEach = { none: 2, q8: 1.06, nf4: 0.57 };

type Memory = Required<
  Pick<
    Forecast,
    'memory' | 'totalBytes' | 'verdict' | 'budget' | 'advice' | 'gradientCheckpointing' | 'microBatchesTogether'
  >
>;

export function memoryOf(recipe: Recipe, parameters: number, adapter: number): Memory {
  const partsOf = ({ model, training }: Recipe): Forecast['memory'] => {
    const again = training.gradient_checkpointing === true;
    return {
      weights: parameters * bytesEach[model.quantization],
      adapter: adapter * 4,
      gradients: adapter * 4,
      optimizer: adapter * 8,
      activations: (38e6 + parameters * 0.5) * training.per_device_train_batch_size * (again ? 0.15 : 0.5),
      logits: 8_400_000,
    };
  };
  const sum = (memory: Forecast['memory']) => Object.values(memory).reduce((total, part) => total + part, 0);
  const memory = partsOf(recipe);
  const totalBytes = sum(memory);
  const advise = (label: string, changes: MemoryAdvice['changes'], changed: Recipe): MemoryAdvice => {
    const less = sum(partsOf(changed));
    return { label, changes, saves: totalBytes - less, enough: verdictOf(less) !== 'too_big' };
  };
  const { model, training } = recipe;
  const advice = [
    advise(
      'Turn on gradient checkpointing',
      { 'training.gradient_checkpointing': true },
      { ...recipe, training: { ...training, gradient_checkpointing: true } },
    ),
    advise(
      'Keep the model in 4-bit',
      { 'model.quantization': 'nf4' },
      { ...recipe, model: { ...model, quantization: 'nf4' } },
    ),
    advise(
      'Take 1 example at a time',
      { 'training.per_device_train_batch_size': 1 },
      { ...recipe, training: { ...training, per_device_train_batch_size: 1 } },
    ),
  ].filter(({ saves }) => saves > 0);
  const verdict = verdictOf(totalBytes);
  return {
    memory,
    totalBytes,
    verdict,
    budget: { bytes: budget, how: 'from what this GPU has held before' },
    advice: verdict === 'fits' ? [] : advice,
    gradientCheckpointing: training.gradient_checkpointing === true,
    microBatchesTogether: verdict === 'fits' ? training.gradient_accumulation_steps : 1,
  };
}
