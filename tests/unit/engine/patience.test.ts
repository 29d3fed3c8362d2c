/** A GPU that never answers: each wait for it ends with a sentence. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { opened, watchAnswers } from '../../../src/engine/webgpu/patience';

const never = () => new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  // Numbers of the WebGPU specification.
  vi.stubGlobal('GPUBufferUsage', { MAP_READ: 1, COPY_DST: 8 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function deviceThat(answers: () => Promise<unknown>): GPUDevice {
  const device = {
    createBuffer: () => ({ mapAsync: answers }),
    queue: { onSubmittedWorkDone: answers },
    popErrorScope: answers,
  } as unknown as GPUDevice;
  watchAnswers(device);
  return device;
}

const waits: [string, (device: GPUDevice) => Promise<unknown>][] = [
  ['mapAsync', (device) => device.createBuffer({ size: 4, usage: 9 }).mapAsync(1)],
  ['onSubmittedWorkDone', (device) => device.queue.onSubmittedWorkDone()],
  ['popErrorScope', (device) => device.popErrorScope()],
];

test.each(waits)('%s that never resolves ends as a lost GPU', async (name, wait) => {
  const waiting = expect(wait(deviceThat(never))).rejects.toMatchObject({
    code: 'gpu_lost',
    message: 'The GPU has not answered for 10 minutes.',
    details: name,
  });
  await vi.advanceTimersByTimeAsync(600_000);
  await waiting;
});

test.each(waits)('%s that resolves or fails is left alone', async (_name, wait) => {
  await expect(wait(deviceThat(async () => undefined))).resolves.toBeUndefined();
  await expect(wait(deviceThat(() => Promise.reject(new Error('lost'))))).rejects.toThrow('lost');
  expect(vi.getTimerCount()).toBe(0);
});

test('a browser that never gives an adapter or a device is said', async () => {
  const waiting = expect(opened(never(), 'a GPU')).rejects.toMatchObject({
    code: 'no_webgpu',
    message: 'The browser did not answer within 30 seconds when it was asked for a GPU.',
  });
  await vi.advanceTimersByTimeAsync(30_000);
  await waiting;
});
