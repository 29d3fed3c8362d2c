/** One device for all GPU tests of a page. */

import * as tf from '@tensorflow/tfjs-core';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { type EngineDevice, openDevice } from '../../src/engine/webgpu/device';

let opened: Promise<EngineDevice> | null = null;

export async function openTestDevice(): Promise<void> {
  opened ??= openDevice();
  await opened;
  await tf.setBackend('webgpu');
}

/**
 * Runs `body` on a separate device, which it may destroy. Opening one replaces the backend of the page's device, so the page
 * gets a new device afterwards. Tensors must not cross over.
 */
export async function withOwnDevice(body: (device: EngineDevice) => Promise<void>): Promise<void> {
  const shared = await opened;
  opened = null;
  disposeInputs();
  shared?.release();
  const own = await openDevice();
  try {
    await body(own);
  } finally {
    disposeInputs();
    own.release();
    await openTestDevice();
  }
}
