/** A device that only counts, for tests of what is dispatched, and models that have shapes and no weights. */
import { type Shape, tensorShape } from '../bench/random-llama';
import type { WeightSource } from '../src/engine/models/model';
import { createCountingDevice } from '../src/engine/webgpu/counting-device';

/** Of a usual card. */
export const LIMITS = {
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 31,
  maxStorageBuffersPerShaderStage: 10,
  maxComputeWorkgroupStorageSize: 32_768,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupsPerDimension: 65_535,
};

export interface Counts {
  dispatches: Map<string, number>;
  copies: number;
  clears: number;
}

/** A device on which each dispatch adds to the count of its shader's label. */
export function labelled(counts: Counts, limits: Record<string, number>): GPUDevice {
  const device = createCountingDevice({ features: [], limits }, () => {});
  let current = '';
  const own: Partial<GPUDevice> = {
    createComputePipeline: (({ label = '' }) => ({ label, getBindGroupLayout: () => ({}) })) as never,
    createCommandEncoder: (() => ({
      beginComputePass: () => ({
        setPipeline: ({ label }: { label: string }) => {
          current = label;
        },
        setBindGroup: () => {},
        dispatchWorkgroups: () => counts.dispatches.set(current, (counts.dispatches.get(current) ?? 0) + 1),
        end: () => {},
      }),
      copyBufferToBuffer: () => counts.copies++,
      clearBuffer: () => counts.clears++,
      finish: () => ({}),
    })) as never,
  };
  return Object.assign(device, own);
}

/** By the first word of each label. */
export function kindsOf(dispatches: Counts['dispatches']): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const [label, count] of dispatches) {
    const kind = label.split(' ')[0]!;
    kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  return kinds;
}

/** SmolLM2-135M's. */
export const SMOL: Shape = { hidden: 576, layers: 30, heads: 9, kvHeads: 3, intermediate: 1536, vocab: 49_152 };

/** Of a Llama whose weights nobody reads. */
export const shapesOf = (shape: Shape): WeightSource => ({
  info: (name) => ({ dtype: 'BF16', shape: tensorShape(name, shape) }),
  read: (name) => Promise.reject(new Error(`No weight is read, but ${name} was asked for.`)),
});
