/** One device for all GPU tests of a page. */

import * as tf from '@tensorflow/tfjs-core';
import { type EngineDevice, openDevice } from '../../src/engine/webgpu/device';

let opened: Promise<EngineDevice> | null = null;

export async function openTestDevice(): Promise<void> {
  opened ??= openDevice();
  await opened;
  await tf.setBackend('webgpu');
}
