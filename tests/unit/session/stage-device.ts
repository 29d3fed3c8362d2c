/** The device of a scripted engine, and a localStorage for Node. */
import type { DeviceReport } from '../../../src/session/api';

/** An in-memory localStorage. */
export function memoryStore() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

export const device: DeviceReport = {
  available: true,
  vendor: 'acme',
  architecture: 'one',
  description: 'Acme One',
  software: false,
  features: [],
  subgroupSizes: null,
  limits: {
    maxBufferSize: 2 ** 31,
    maxStorageBufferBindingSize: 2 ** 30,
    maxStorageBuffersPerShaderStage: 10,
    maxComputeWorkgroupStorageSize: 32_768,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupsPerDimension: 65_535,
  },
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 30,
  problem: null,
};
