/** The whole benchmark on an open device, part by part. What cannot be measured is named, and the rest goes on. */
import type {
  BenchmarkProgress,
  DecodeRow,
  Floors,
  Measured,
  ProductRow,
  Stage,
  StepRow,
} from '../../benchmark/result';
import type { TrainingSection } from '../../recipe/types';
import type { LanguageModel } from '../models/model';
import { canAllocate } from '../webgpu/backend';
import type { EngineDevice } from '../webgpu/device';
import { trimMemory } from '../webgpu/dispatch';
import { measureDecode } from './decoding';
import byPyTorch from './fingerprint.json';
import { measureFloors } from './floors';
import { measureProducts, productList } from './products';
import { cardPlan, cpuPlan, type ModelShape, type Plan } from './shapes';
import { measureFingerprint, measureSteps, measureSustained, openModel } from './training';

/** By PyTorch. Devices differ by the order in which they add; relative. */
const expected: readonly number[] = byPyTorch.losses;
const AGREES = 1e-4;

/** Bytes that weights, activations and logits of a step need at least; only to refuse what can never fit. */
function leastBytes({ config }: ModelShape, format: string, [batch, length]: readonly [number, number]): number {
  const size = (name: string) => Number(config[name]);
  const width = size('hidden_size');
  const layer = 3 * width * size('intermediate_size') + 3 * width * width;
  const bits = format === 'bf16' ? 16 : 4.5;
  const linears = (size('num_hidden_layers') * layer * bits) / 8;
  const tokens = batch * length;
  const activations = tokens * size('num_hidden_layers') * 4 * (8 * width + 4 * size('intermediate_size'));
  return linears + 2 * width * size('vocab_size') + activations;
}

export async function runBenchmark(
  engine: Pick<EngineDevice, 'device' | 'software' | 'failed'>,
  training: TrainingSection,
  onProgress: (progress: BenchmarkProgress) => void,
  plan: Plan = engine.software ? cpuPlan : cardPlan,
): Promise<Measured> {
  // A lost device ends everything; nothing that waits for it would come back.
  return Promise.race([measureAll(engine.device, plan, training, onProgress), engine.failed]);
}

async function measureAll(
  device: GPUDevice,
  plan: Plan,
  training: TrainingSection,
  onProgress: (progress: BenchmarkProgress) => void,
): Promise<Measured> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const left_out: Measured['left_out'] = [];
  const leave = (what: string, why: string) => void left_out.push({ what, why });
  const counter = (stage: Stage, total: number) => {
    let done = -1;
    return (what: string) => onProgress({ stage, what, done: Math.min(++done, total), total });
  };
  /** Whether there is still time; names what there is none for. */
  const inTime = (what: string) => {
    if (seconds() < plan.deadline) return true;
    leave(what, `${plan.deadline} seconds had passed.`);
    return false;
  };

  const floors: Floors = await measureFloors(device, plan, counter('floors', 6));

  const products: ProductRow[] = [];
  const list = productList(plan.products);
  const nextProduct = counter('products', list.length);
  for (const one of list) {
    const what = `${one.n}×${one.k} ${one.format}`;
    if (!inTime(`products ${what}`)) continue;
    nextProduct(what);
    products.push(...(await measureProducts(one, plan.sampleMs, floors.f32_tflops.median)));
    trimMemory();
  }

  counter('fingerprint', 1)('three steps');
  const losses = await measureFingerprint(training);
  const agrees = losses.every((loss, i) => Math.abs(loss - expected[i]!) <= AGREES * expected[i]!);

  const steps: StepRow[] = [];
  const decode: DecodeRow[] = [];
  let sustained: Measured['sustained'] = null;
  const kinds = plan.models.flatMap((model) => model.formats.map((format) => ({ model, format })));
  const windows = Math.ceil(plan.sustained.seconds / plan.sustained.windowSeconds);
  const next = counter('models', kinds.length * (plan.steps.length + plan.prompts.length) + windows + 1);
  for (const [at, { model, format }] of kinds.entries()) {
    const names = { model: model.name, format };
    const called = `${model.name} ${format}`;
    if (!inTime(called)) continue;
    const smallest = leastBytes(model, format, plan.steps[0]!);
    if (!(await canAllocate(smallest))) {
      leave(called, `The GPU has no ${(smallest / 1e9).toFixed(1)} GB for it.`);
      continue;
    }
    let open: LanguageModel | null = null;
    try {
      open = await openModel(model, format);
      for (const shape of plan.steps) {
        const what = `${called} ${shape.join('×')}`;
        const more = leastBytes(model, format, shape) - smallest;
        if (!inTime(what)) continue;
        next(what);
        if (more > 0 && !(await canAllocate(more))) {
          leave(what, `The GPU has no ${(more / 1e9).toFixed(1)} GB for its activations.`);
          continue;
        }
        steps.push(await measureSteps(open, names, shape, plan.samples, training));
        trimMemory();
      }
      for (const prompt of plan.prompts) {
        if (!inTime(`${called}, an answer to ${prompt} tokens`)) continue;
        next(`${called}, an answer to ${prompt} tokens`);
        decode.push(await measureDecode(open, names, prompt, plan.answer));
      }
      if (at === 0) {
        const { seconds: whole, windowSeconds } = plan.sustained;
        const going = () => next(`${called}, ${whole} seconds without a pause`);
        going();
        const rates = await measureSustained(open, plan.sustained, training, going);
        sustained = { model: called, window_seconds: windowSeconds, tokens_per_second: rates };
      }
    } finally {
      open?.dispose();
    }
  }
  return {
    ...{ reduced: plan.reduced, seconds: seconds(), floors, products, steps, decode, sustained, left_out },
    fingerprint: { losses, expected: [...expected], agrees },
  };
}
