/** What a card and its browser can do at best, with kernels of our own that do nothing else. Directly on the device, below tfjs. */
import type { Floors, Spread } from '../../benchmark/result';
import { inUnits, spreadOf, timeOf } from './measure';
import type { Plan } from './shapes';

const EMPTY = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x > 4096u) { out[0] = 1.0; }
}`;

const COPY = `@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_values: array<vec4f>;
@compute @workgroup_size(256) fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) i: u32) {
  let at = (wg.y * groups.x + wg.x) * 256u + i;
  if (at < arrayLength(&source)) { target_values[at] = source[at]; }
}`;

/** Threads, multiply-adds of four values a thread and turn, and turns. Eight chains hide the latency of one. */
const CHAINS = 8;
const multiplyAdds = (type: 'f32' | 'f16') => `${type === 'f16' ? 'enable f16;\n' : ''}
struct Turns { turns: u32, x: f32 }
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> given: Turns;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4<${type}>(${type}(given.x));
  ${Array.from({ length: CHAINS }, (_, i) => `var a${i} = vec4<${type}>(${type}(f32(id.x & 7u) * ${0.1 * (i + 1)}));`).join('\n  ')}
  for (var i = 0u; i < given.turns; i++) {
    ${Array.from({ length: CHAINS }, (_, i) => `a${i} = fma(a${i}, x, x);`).join('\n    ')}
  }
  let sum = ${Array.from({ length: CHAINS }, (_, i) => `a${i}`).join(' + ')};
  let all = f32(sum.x + sum.y + sum.z + sum.w);
  // Never true, but the compiler cannot know.
  if (all == 12345.678) { out[id.x & 63u] = all; }
}`;

export async function measureFloors(
  device: GPUDevice,
  { copyBytes, sampleMs, reduced }: Pick<Plan, 'copyBytes' | 'sampleMs' | 'reduced'>,
  onStart: (what: string) => void,
): Promise<Floors> {
  const buffers: GPUBuffer[] = [];
  const buffer = (size: number, usage: GPUBufferUsageFlags) => {
    const made = device.createBuffer({ size, usage });
    buffers.push(made);
    return made;
  };
  const pipeline = (code: string) =>
    device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    });
  const bind = (made: GPUComputePipeline, ...bound: GPUBuffer[]) =>
    device.createBindGroup({
      layout: made.getBindGroupLayout(0),
      entries: bound.map((one, binding) => ({ binding, resource: { buffer: one } })),
    });
  const submit = (record: (encoder: GPUCommandEncoder) => void) => {
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
  };
  const done = () => device.queue.onSubmittedWorkDone();
  const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const time = (record: (runs: number) => Promise<void>, least = 1): Promise<Spread> =>
    timeOf(record, { sampleMs, least });

  try {
    onStart('dispatches');
    const small = buffer(4096, storage);
    const empty = await pipeline(EMPTY);
    const emptyGroup = bind(empty, small);
    const dispatches = (perSubmit: number) => async (runs: number) => {
      for (let left = runs; left > 0; left -= perSubmit) {
        submit((encoder) => {
          const pass = encoder.beginComputePass();
          pass.setPipeline(empty);
          pass.setBindGroup(0, emptyGroup);
          for (let i = 0; i < Math.min(left, perSubmit); i++) pass.dispatchWorkgroups(1);
          pass.end();
        });
      }
      await done();
    };
    const microseconds = (spread: Spread) => inUnits(spread, (ms) => 1000 * ms);
    const dispatch_32_us = microseconds(await time(dispatches(32), 64));
    const dispatch_500_us = microseconds(await time(dispatches(500), 500));
    const submit_us = microseconds(await time(dispatches(1)));

    onStart('copies');
    const other = buffer(4096, storage);
    const copy_us = microseconds(
      await time(async (runs) => {
        submit((encoder) => {
          for (let i = 0; i < runs; i++) encoder.copyBufferToBuffer(small, 0, other, 0, 1024);
        });
        await done();
      }),
    );

    onStart('reading back');
    const readable = buffer(4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    const map = async () => {
      submit((encoder) => encoder.copyBufferToBuffer(small, 0, readable, 0, 4));
      await readable.mapAsync(GPUMapMode.READ);
      readable.getMappedRange();
      readable.unmap();
    };
    const trips: number[] = [];
    for (let i = 0; i < 21; i++) {
      const start = performance.now();
      await map();
      if (i > 0) trips.push(performance.now() - start);
    }

    onStart('bandwidth');
    const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = device.limits;
    const bytes = Math.min(copyBytes, maxBufferSize, maxStorageBufferBindingSize);
    const [from, to] = [buffer(bytes, storage), buffer(bytes, storage)];
    const copy = await pipeline(COPY);
    const copyGroup = bind(copy, from, to);
    const groups = Math.ceil(bytes / 16 / 256);
    const wide = Math.min(groups, maxComputeWorkgroupsPerDimension);
    const bandwidth = await time(async (runs) => {
      submit((encoder) => {
        const pass = encoder.beginComputePass();
        pass.setPipeline(copy);
        pass.setBindGroup(0, copyGroup);
        for (let i = 0; i < runs; i++) pass.dispatchWorkgroups(wide, Math.ceil(groups / wide));
        pass.end();
      });
      await done();
    });

    const peak = async (type: 'f32' | 'f16') => {
      onStart(`${type} arithmetic`);
      const made = await pipeline(multiplyAdds(type));
      const turns = reduced ? 256 : 2048;
      const workgroups = reduced ? 64 : 4096;
      const given = buffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      const block = new DataView(new ArrayBuffer(16));
      block.setUint32(0, turns, true);
      block.setFloat32(4, 0.5, true);
      device.queue.writeBuffer(given, 0, block.buffer);
      const group = bind(made, small, given);
      const spread = await time(async (runs) => {
        submit((encoder) => {
          const pass = encoder.beginComputePass();
          pass.setPipeline(made);
          pass.setBindGroup(0, group);
          for (let i = 0; i < runs; i++) pass.dispatchWorkgroups(workgroups);
          pass.end();
        });
        await done();
      });
      const operations = workgroups * 256 * turns * CHAINS * 4 * 2;
      return inUnits(spread, (ms) => operations / ms / 1e9);
    };
    return {
      dispatch_32_us,
      dispatch_500_us,
      copy_us,
      submit_us,
      map_ms: spreadOf(trips),
      bandwidth_gb_s: inUnits(bandwidth, (ms) => (2 * bytes) / ms / 1e6),
      f32_tflops: await peak('f32'),
      f16_tflops: device.features.has('shader-f16') ? await peak('f16') : null,
    };
  } finally {
    for (const made of buffers) made.destroy();
  }
}
