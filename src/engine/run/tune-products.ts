/**
 * Times the schemes of the products that a run will use, once for each class and card, and chooses among them. Classes are taken by
 * how much work they are, until the budget is used up; the rest keep the usual scheme, and that is kept as well, so that the next
 * run computes the same.
 */
import { FAMILIES, type Family } from '../../base/kernels';
import { classKey, type ProductClass, type SeenProducts, type TimedClass, workOf } from '../../base/product-class';
import { bytesOf, rehearse, shortened } from '../kernels/products/rehearse';
import { admissible, usualFamily } from '../kernels/products/variants';
import { adapterTraits, setAdapterTraits } from '../webgpu/adapter';
import { gpuBackend } from '../webgpu/backend';
import { trimMemory } from '../webgpu/dispatch';
import { type Clock, clockOf, gpuTime } from '../webgpu/gpu-clock';

type Times = Partial<Record<Family, number>>;

/** Another scheme must be that much faster than the usual one: smaller differences come and go. */
export const MARGIN = 0.05;
/** On a card; compiling the shaders, which the run needs in part anyway, is in it. */
const BUDGET_MS = 1500;
/** Clocks of browsers count in steps of a tenth of a millisecond. */
const SAMPLE_MS = 4;
const SAMPLES = 3;
/** The matrices of a class that is timed; nobody should run out of memory before a run begins. */
const MOST_BYTES = 2 ** 30;
const MOST_RUNS = 64;

export function bestOf(usual: Family, ms: Times, margin = MARGIN): Family {
  const limit = ms[usual];
  if (limit === undefined) return usual;
  let best = usual;
  for (const family of FAMILIES) {
    const time = ms[family];
    if (time !== undefined && time < limit * (1 - margin) && time < ms[best]!) best = family;
  }
  return best;
}

export interface TuneOptions {
  /** Milliseconds of one product with each scheme; null if `stopped` became true on the way. */
  time: (product: ProductClass, families: Family[], stopped: () => boolean) => Promise<Times | null>;
  subgroups: boolean;
  budgetMs?: number;
  now?: () => number;
  stopped?: () => boolean;
  onProgress?: (share: number) => void;
}

/** The classes that are not `known` yet, by their keys; without those that a stop has prevented. */
export async function tuneProducts(
  seen: readonly SeenProducts[],
  known: Readonly<Record<string, TimedClass>>,
  options: TuneOptions,
): Promise<Record<string, TimedClass>> {
  const { time, subgroups, budgetMs = BUDGET_MS, now = () => performance.now() } = options;
  const { stopped = () => false, onProgress = () => {} } = options;
  const found: Record<string, TimedClass> = {};
  const missing = new Map<string, ProductClass>();
  const work = ({ shape, count }: SeenProducts) => count * workOf(shape);
  for (const { shape } of [...seen].sort((a, b) => work(b) - work(a))) {
    const key = classKey(shape);
    if (!known[key] && !missing.has(key)) missing.set(key, shape);
  }
  const end = now() + budgetMs;
  for (const [key, shape] of missing) {
    if (stopped()) break;
    onProgress(Object.keys(found).length / missing.size);
    const usual = usualFamily(shape);
    const families = [usual, ...admissible(shape, subgroups).filter((family) => family !== usual)];
    const ms = now() < end && families.length > 1 ? await time(shape, families, stopped) : {};
    if (ms === null) break;
    found[key] = { shape, usual, chosen: bestOf(usual, ms), ms };
  }
  return found;
}

/** Times on the GPU, by turns, so that a disturbance meets all schemes; the least of each counts. */
export async function timeOnGpu(
  product: ProductClass,
  families: Family[],
  stopped: () => boolean,
  clock: Clock = clockOf(gpuBackend()),
): Promise<Times | null> {
  const backend = gpuBackend();
  const { device } = backend;
  const own = adapterTraits(device);
  const short = shortened(product);
  if (bytesOf(short) > MOST_BYTES) return {};
  const rehearsal = rehearse(backend, short);
  /** What has the scheme is recorded before anything else can be. */
  const timed = (family: Family, runs: number) => {
    setAdapterTraits(device, { ...own, kernels: family, chosen: undefined });
    try {
      return gpuTime(backend, rehearsal.record, runs, clock);
    } finally {
      setAdapterTraits(device, own);
    }
  };
  try {
    // The first run compiles, the second says how many make a sample.
    const runs = new Map<Family, number>();
    for (const family of families) {
      await timed(family, 1);
      const once = await timed(family, 1);
      runs.set(family, Math.min(MOST_RUNS, Math.max(1, Math.ceil(SAMPLE_MS / Math.max(once, 0.01)))));
      if (stopped()) return null;
    }
    const ms: Times = {};
    for (let i = 0; i < SAMPLES; i++) {
      for (const family of families) {
        const count = runs.get(family)!;
        ms[family] = Math.min(ms[family] ?? Infinity, (await timed(family, count)) / count);
        if (stopped()) return null;
      }
    }
    return ms;
  } finally {
    rehearsal.dispose();
    trimMemory();
  }
}
