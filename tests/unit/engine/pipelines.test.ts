/** Shaders are compiled ahead, and what goes wrong there is left to whoever needs them. */
import { expect, test } from 'vitest';
import { compileShaders, pipelineOf, watchShaders } from '../../../src/engine/webgpu/pipelines';

const shaders = ['a', 'b', 'c'].map((key) => ({ key, code: `code of ${key}` }));

/** A device that compiles when it is told to. */
function pausedDevice() {
  const waiting = new Map<
    string,
    { resolve: (pipeline: GPUComputePipeline) => void; reject: (error: Error) => void }
  >();
  const compiled: string[] = [];
  const named = (label: string) => ({ label }) as GPUComputePipeline;
  let scopes = 0;
  const device = {
    createShaderModule: ({ label }: { label: string }) => ({ label }),
    createComputePipeline: ({ label }: { label: string }) => {
      compiled.push(label);
      return named(label);
    },
    createComputePipelineAsync: ({ label }: { label: string }) =>
      new Promise<GPUComputePipeline>((resolve, reject) => waiting.set(label, { resolve, reject })),
    pushErrorScope: () => scopes++,
    popErrorScope: async () => {
      scopes--;
      return null;
    },
  } as unknown as GPUDevice;
  return {
    ...{ device, waiting, compiled, scopes: () => scopes },
    compile: (key: string) => waiting.get(key)!.resolve(named(key)),
    fail: (key: string) => waiting.get(key)!.reject(new Error('no')),
  };
}

test('all are compiled at once, and then they are there', async () => {
  const { device, waiting, compiled, compile, scopes } = pausedDevice();
  const shares: number[] = [];
  const done = compileShaders(device, shaders, { onProgress: (share) => shares.push(share) });
  expect([...waiting.keys()]).toEqual(['a', 'b', 'c']);
  for (const { key } of shaders) compile(key);
  await done;
  expect(shares[0]).toBe(0);
  const given: string[] = [];
  watchShaders(({ key }) => given.push(key));
  const ids = shaders.map(({ key, code }) => pipelineOf(device, { key, wgsl: code }).id);
  watchShaders(null);
  expect(new Set(ids).size).toBe(3);
  expect(compiled).toEqual([]);
  expect(given).toEqual([]);
  expect(scopes()).toBe(0);
});

test('what is there is not compiled again, by either way', async () => {
  const { device, waiting, compiled } = pausedDevice();
  for (const { key, code } of shaders) pipelineOf(device, { key, wgsl: () => code });
  await compileShaders(device, shaders);
  expect(waiting.size).toBe(0);
  expect(compiled).toEqual(['a', 'b', 'c']);
});

test('one that fails is left to the step that needs it, where its error is reported', async () => {
  const { device, compiled, compile, fail } = pausedDevice();
  const done = compileShaders(device, shaders);
  compile('a');
  fail('b');
  compile('c');
  await done;
  for (const { key, code } of shaders) pipelineOf(device, { key, wgsl: code });
  expect(compiled).toEqual(['b']);
});

test('a stop does not wait for the rest, which is kept when it comes', async () => {
  const { device, compiled, compile } = pausedDevice();
  let stopped = false;
  const done = compileShaders(device, shaders, { stopped: () => stopped });
  compile('a');
  stopped = true;
  await done;
  const early = pipelineOf(device, { key: 'b', wgsl: 'code of b' });
  compile('b');
  compile('c');
  await new Promise((resolve) => setTimeout(resolve));
  // The one that was needed meanwhile stays as it is.
  expect(pipelineOf(device, { key: 'b', wgsl: 'code of b' })).toBe(early);
  pipelineOf(device, { key: 'c', wgsl: 'code of c' });
  expect(compiled).toEqual(['b']);
});
