/** What a scripted card has timed: nothing before its first run, unless the script says otherwise. */
import type { Family, Kernels } from '../../../src/base/kernels';
import { classKey, type KeptChoices, type ProductClass, type TimedClass } from '../../../src/base/product-class';
import type { KernelsApi } from '../../../src/session/api';
import { sleep } from './sleep';

export interface KernelsScript {
  stepMs: number;
  /** The address of the page asks for these. */
  kernels: Kernels;
  /** A run on an earlier visit has timed the card. */
  timed: boolean;
}

/** Of SmolLM2-135M with LoRA on four texts of 256 tokens; made-up times. */
const shape = (kind: ProductClass['kind'], rows: number, columns: number, steps: number, more: object = {}) => ({
  ...{ kind, rows, columns, steps, format: 'bf16', inFours: true, pieces: 1, products: [] },
  ...more,
});
const timed = (of: ProductClass, usual: Family, chosen: Family, ms: TimedClass['ms']): [string, TimedClass] => [
  classKey(of),
  { shape: of, usual, chosen, ms },
];
const classes = (speed: number) =>
  Object.fromEntries([
    timed(shape('nt', 1024, 3072, 576), 'tile', 'tile', { register: 0.412, tile: 0.118, split: 0.34 }),
    timed(
      shape('nn', 1024, 576, 3072, {
        products: [
          [16, 576],
          [3072, 16],
        ],
      }),
      'tile',
      speed > 1 ? 'tile' : 'register',
      { register: 0.151 * speed, tile: 0.203 },
    ),
    timed(shape('nt', 1024, 48, 576, { format: 'f32' }), 'split', 'split', { register: 0.1, tile: 0.09, split: 0.031 }),
    timed(shape('nt', 512, 49_152, 576), 'tile', 'tile', {}),
  ]);

export function createScriptedKernels({ stepMs, kernels, timed: before }: KernelsScript): KernelsApi {
  const since = Date.now() - 3 * 86_400_000;
  const kept: KeptChoices = { version: '0.1.0', since, clock: 'gpu', classes: classes(1) };
  let choices: KeptChoices | null = before ? kept : null;
  const now = () => ({ asked: kernels, choices });
  return {
    keptKernels: async () => now(),
    async measureKernels(onProgress, signal) {
      for (let part = 0; part < 4; part++) {
        onProgress(part / 4);
        await sleep(stepMs * 4);
        signal?.throwIfAborted();
      }
      choices = { ...kept, since: Date.now(), classes: classes(1.34) };
      return now();
    },
    async chooseKernels(own) {
      const { off: _, ...rest } = choices!;
      choices = own ? rest : { ...rest, off: true };
      return now();
    },
  };
}
