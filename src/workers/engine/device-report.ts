/** The GPU as the page sees it, and how its failure is met. */
import { TabtuneError } from '../../base/errors';
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

/** How long a busy browser may take to report that the device behind a failed read is lost. */
const LOSS_PATIENCE_MS = 3000;

/** Rejects as soon as the device fails, when a read may never resolve. */
export async function untilFailure<T>(engine: () => Promise<EngineDevice>, work: () => Promise<T>): Promise<T> {
  const { failed } = await engine();
  try {
    return await Promise.race([work(), failed]);
  } catch (cause) {
    // A lost device fails reads before the loss is reported; the message must not depend on which comes first.
    const patience = pause(cause instanceof TabtuneError ? 50 : LOSS_PATIENCE_MS);
    const reason = await Promise.race([failed.catch((error: unknown) => error), patience]);
    throw reason instanceof TabtuneError ? reason : cause;
  }
}

const pause = (milliseconds: number) => new Promise<null>((resolve) => setTimeout(resolve, milliseconds, null));
