/**
 * Our own GPU device for tfjs. tfjs does not request shader-f16, subgroups or enough storage buffers per stage, never
 * watches `device.lost`, and turns a missing adapter into a console warning. So we request the device ourselves and
 * register our own WebGPUBackend under tfjs's name (its kernels are keyed by it).
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { TabtuneError } from '../../base/errors';
import { logitsBytesOf, matrixOf, quadValuesOf, SUBGROUP_MATRIX, setAdapterTraits } from './adapter';
import { countSubmits, gpuBackend, SUBMIT_BATCH } from './backend';
import { countBuffers } from './buffers';
import { onDeviceFailure } from './failure';
import { opened, watchAnswers } from './patience';
import { managePool } from './pool';
import { manageViews } from './views';

export const tensorRuntimeVersion = tf.version_core;

export interface EngineDevice {
  device: GPUDevice;
  vendor: string;
  architecture: string;
  description: string;
  /** The adapter's own name of the card, which browsers mostly keep to themselves. */
  card: string;
  /** True for SwiftShader and other CPU adapters. */
  software: boolean;
  features: string[];
  /** How many lanes a subgroup has, at least and at most; null where the browser does not say. */
  subgroupSizes: [min: number, max: number] | null;
  /** Rejects when the device is lost, out of memory or misused, unless `release` was called. Never resolves. */
  failed: Promise<never>;
  /** Destroys the device on purpose. */
  release(): void;
}

const WANTED_FEATURES = ['shader-f16', 'subgroups', 'timestamp-query', SUBGROUP_MATRIX] as GPUFeatureName[];
export const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

const noWebGpu = (message: string, details?: string) =>
  new TabtuneError({
    code: 'no_webgpu',
    message,
    where: 'WebGPU',
    action:
      'Use a current version of Chrome or Edge on a computer with a GPU, turn on hardware acceleration in the browser settings, and update the graphics driver. chrome://gpu shows what is missing.',
    details,
  });

async function requestAdapter(): Promise<GPUAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) throw noWebGpu('This browser does not support WebGPU.');
  let adapter: GPUAdapter | null;
  try {
    adapter = await opened(gpu.requestAdapter({ powerPreference: 'high-performance' }), 'a GPU');
  } catch (cause) {
    if (cause instanceof TabtuneError) throw cause;
    throw noWebGpu('The browser could not open a GPU.', String(cause));
  }
  if (!adapter) throw noWebGpu('The browser supports WebGPU but found no GPU that it can use.');
  return adapter;
}

function failureOf(error: GPUError | Error): TabtuneError {
  if (typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError) {
    return new TabtuneError({
      code: 'gpu_out_of_memory',
      message: 'The GPU ran out of memory.',
      where: 'GPU',
      action:
        'Use a smaller batch size, a shorter max length or a smaller model, and close other tabs that use the GPU.',
      details: error.message,
    });
  }
  return new TabtuneError({
    code: 'internal',
    message: 'The GPU rejected an operation.',
    where: 'GPU',
    action: 'Update the browser and the graphics driver. If the error persists, report the details below.',
    details: error.message,
  });
}

/** Makes a device tfjs's backend, replacing the previous one. */
export async function installDevice(
  device: GPUDevice,
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture'>,
  software: boolean,
): Promise<void> {
  setAdapterTraits(device, {
    software,
    subgroups: device.features.has('subgroups'),
    f16: device.features.has('shader-f16'),
    logitsBytes: logitsBytesOf(device.limits, software),
    kernels: 'auto',
    matrix: matrixOf(info, device),
    half: false,
    quadValues: quadValuesOf(info),
  });
  countBuffers(device);
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', SUBMIT_BATCH);
  // tfjs registers its own only where there is a GPU.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, info as GPUAdapterInfo), 3);
  if (!(await tf.setBackend('webgpu'))) throw noWebGpu('The GPU opened, but the tensor backend could not start on it.');
  countSubmits(gpuBackend());
  managePool(gpuBackend());
  manageViews(gpuBackend());
}

/** Newer than TypeScript's list of the adapter's properties, and than some browsers. */
function subgroupSizesOf(info: GPUAdapterInfo): EngineDevice['subgroupSizes'] {
  const { subgroupMinSize: min, subgroupMaxSize: max } = info as { subgroupMinSize?: number; subgroupMaxSize?: number };
  return min && max ? [min, max] : null;
}

/** Requests an adapter and a device with the adapter's highest limits, and makes it tfjs's backend. Throws no_webgpu. */
export async function openDevice(): Promise<EngineDevice> {
  // An adapter can give only one device, so always request a new one.
  const adapter = await requestAdapter();
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  let device: GPUDevice;
  try {
    device = await opened(adapter.requestDevice({ requiredFeatures, requiredLimits }), 'the GPU’s device');
  } catch (cause) {
    if (cause instanceof TabtuneError) throw cause;
    throw noWebGpu('The browser found a GPU but could not open it.', String(cause));
  }
  const { vendor, architecture, description, device: card } = adapter.info;
  const software =
    adapter.info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|software/i.test(`${architecture} ${description}`);
  let released = false;
  const failed = new Promise<never>((_, reject) => {
    onDeviceFailure(device, (error) => {
      if (!released) reject(failureOf(error));
    });
    void device.lost.then((info) => {
      if (released) return;
      reject(
        new TabtuneError({
          code: 'gpu_lost',
          message: 'The GPU stopped responding and was reset.',
          where: 'GPU device',
          action:
            'Resume the run from its last checkpoint; if it happens again, use a smaller batch size or max length.',
          details: `${info.reason}: ${info.message}`,
        }),
      );
    });
  });
  failed.catch(() => {}); // whoever awaits it sees the error; an unobserved loss is not an unhandled rejection

  watchAnswers(device);
  await installDevice(device, adapter.info, software);
  return {
    device,
    vendor,
    architecture,
    description,
    card,
    software,
    features: [...device.features].sort(),
    subgroupSizes: subgroupSizesOf(adapter.info),
    failed,
    release: () => {
      released = true;
      device.destroy();
    },
  };
}
