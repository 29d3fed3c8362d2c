/** The GPU of a scripted session. */
import type { DeviceReport } from '../../../src/session/api';

export type ScriptedDevice = 'gpu' | 'software' | 'none';

export function deviceOf(kind: ScriptedDevice): DeviceReport {
  const none = kind === 'none';
  return {
    available: !none,
    vendor: none ? '' : kind === 'software' ? 'google' : 'nvidia',
    architecture: kind === 'software' ? 'swiftshader' : 'ada-lovelace',
    description: kind === 'software' ? 'SwiftShader Device (Subzero)' : 'NVIDIA GeForce RTX 4060 Laptop GPU',
    software: kind === 'software',
    features: kind === 'gpu' ? ['shader-f16', 'subgroups', 'timestamp-query'] : ['subgroups'],
    subgroupSizes: kind === 'gpu' ? [32, 32] : [4, 4],
    limits: {},
    maxBufferSize: 4 * 2 ** 30,
    maxStorageBufferBindingSize: 2 * 2 ** 30,
    problem: none
      ? {
          code: 'no_webgpu',
          message: 'This browser offers no WebGPU, so nothing can be trained here.',
          action: 'Open Tabtune in a newer Chrome or Edge, with hardware acceleration switched on.',
          details: 'navigator.gpu is undefined',
        }
      : null,
  };
}
