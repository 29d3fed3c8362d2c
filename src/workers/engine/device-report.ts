/** The GPU as the page sees it. */
import { type EngineDevice, WANTED_LIMITS } from '../../engine/webgpu/device';
import type { DeviceReport } from '../../session/api';

export function report(engine: EngineDevice): DeviceReport {
  const { vendor, architecture, description, software, features, subgroupSizes, device } = engine;
  return {
    available: true,
    vendor,
    architecture,
    description,
    software,
    features,
    subgroupSizes,
    limits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, device.limits[name]])),
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    problem: null,
  };
}
