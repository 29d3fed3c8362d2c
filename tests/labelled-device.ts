/** A device that only counts, for tests of what is dispatched. */
import { createCountingDevice } from '../src/engine/webgpu/counting-device';

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
