/** One device for all GPU tests of a page. */
import { type EngineDevice, openDevice } from '../../src/engine/webgpu/device';
import * as tf from '@tensorflow/tfjs-core';

let opened: Promise<EngineDevice> | null = null;

export async function openTestDevice(): Promise<void> {
  opened ??= openDevice();
  await opened;
  await tf.setBackend('webgpu');
}
