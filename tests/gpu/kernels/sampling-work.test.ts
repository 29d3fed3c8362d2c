/** What a lane does at most to draw a token as on a card: counted by the shader itself, at the vocabularies of real models. */
import { expect, test } from 'vitest';
import { drawRankedShader } from '../../../src/engine/kernels/sampling/draw-ranked';
import { STEPS, sampleTokensShader } from '../../../src/engine/kernels/sampling/sample-tokens';
import { bindingsOf, lanesOf, readsOf } from '../../../src/engine/kernels/sampling/select-wgsl';
import { gpuBackend } from '../../../src/engine/webgpu/backend';
import { randomValues, setupGpu } from '../../kernel-helpers';

const COUNTERS = ['quads', 'barriers', 'additions', 'atomics'] as const;
type Work = Record<(typeof COUNTERS)[number], number>;

/** The shader, which also writes what each lane has done. */
function counted(wgsl: string, binding: number): string {
  const before = (text: string, counts: string) => {
    if (!source.includes(text)) throw new Error(`The shader has no "${text}".`);
    source = source.replaceAll(text, `${counts} ${text}`);
  };
  const within = (start: string, counts: string) => {
    if (!source.includes(start)) throw new Error(`The shader has no "${start}".`);
    source = source.replace(start, `${start} ${counts}`);
  };
  let source = wgsl.trimEnd();
  before('workgroupBarrier();', 'barriers++;');
  before('var s = workgroupUniformLoad(&state);', 'barriers += 2u;');
  within('fn bitsAt(q: u32) -> vec4u {', 'quadsRead++;');
  within('fn plus(a: vec2u, b: vec2u) -> vec2u {', 'additions++;');
  within('fn put(bin: u32, sum: vec2u, count: u32) {', 'atomics += 3u;');
  expect(source.endsWith('}')).toBe(true);
  return `@group(0) @binding(${binding}) var<storage, read_write> tally: array<vec4u>;
var<private> quadsRead: u32; var<private> barriers: u32; var<private> additions: u32; var<private> atomics: u32;
${source.slice(0, -1)} tally[lane] = vec4u(quadsRead, barriers, additions, atomics); }`;
}

/** The most of any lane, and the quads that all read. */
async function workOf(wgsl: string, inputs: ArrayBufferView[], uniforms: ArrayBuffer, lanes: number) {
  const { device } = gpuBackend();
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const bufferOf = (size: number, usage: number, values?: ArrayBufferView | ArrayBuffer) => {
    const buffer = device.createBuffer({ size, usage });
    if (values) device.queue.writeBuffer(buffer, 0, values as BufferSource);
    return buffer;
  };
  const given = new Map(inputs.map((v) => [v, bufferOf(v.byteLength, STORAGE | COPY_DST, v)]));
  const bytes = lanes * 16;
  const [drawn, tally] = [bufferOf(32, STORAGE), bufferOf(bytes, STORAGE | COPY_SRC)];
  const buffers = [
    ...inputs.map((v) => given.get(v)!),
    drawn,
    bufferOf(uniforms.byteLength, UNIFORM | COPY_DST, uniforms),
    tally,
  ];
  const code = counted(wgsl, buffers.length - 1);
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const layout = pipeline.getBindGroupLayout(0);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  const read = bufferOf(bytes, MAP_READ | COPY_DST);
  encoder.copyBufferToBuffer(tally, 0, read, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const counts = new Uint32Array(read.getMappedRange().slice(0));
  for (const buffer of [...buffers, read]) buffer.destroy();
  const of = (c: number) => Array.from({ length: lanes }, (_, lane) => counts[4 * lane + c]!);
  const most = Object.fromEntries(COUNTERS.map((name, c) => [name, Math.max(...of(c))])) as Work;
  return { most, quads: of(0).reduce((sum, n) => sum + n, 0) };
}

function block(ints: number[], floats: number[]): ArrayBuffer {
  const bytes = new ArrayBuffer(32);
  new Uint32Array(bytes).set(ints);
  new Float32Array(bytes).set(floats, ints.length);
  return bytes;
}

test.each([49_152, 50_257, 151_936, 262_144])(
  'the most that a lane does for a token of %i, of as many lanes as a card would have here',
  async (vocab) => {
    await setupGpu();
    const lanes = lanesOf(gpuBackend().device.limits, false);
    const reads = readsOf([1, vocab]);
    const logits = randomValues([1, vocab], 4, 4).data;
    const rows = Array<ArrayBufferView>(bindingsOf(reads)).fill(logits);
    const streamed = await workOf(
      drawRankedShader({ lanes, reads, greedy: false, cuts: true }),
      rows,
      block([vocab], [0.37, 0.95, 0.8]),
      lanes,
    );
    const batched = await workOf(
      sampleTokensShader({ lanes, reads, greedy: false, topK: true, topP: true }),
      [...rows, Int32Array.of(0, 0.37 * STEPS)],
      block([1, vocab, 50], [0.95, 1]),
      lanes,
    );
    const quads = Math.ceil(vocab / 4);
    // For the top logit; for the first ten bits of two searches, and up to three times ten more of each; for the token's place.
    const passes = 1 + 2 + 2 * 3 + 1;
    // A lane takes so many quads of a slab that 32 lanes have read, twice.
    const share = Math.ceil(Math.ceil((32 * quads) / lanes) / lanes);
    for (const { most, quads: all } of [streamed, batched]) {
      console.info(`${vocab} logits, ${lanes} lanes: ${JSON.stringify(most)} at most, ${all} quads by all`);
      expect(most.quads).toBeLessThanOrEqual(passes * Math.ceil(quads / lanes) + 2 * share + 1);
      expect(all).toBeLessThanOrEqual(passes * quads + 2 * lanes * share + 1);
      // Five for each look into a bin, 25 besides.
      expect(most.barriers).toBeLessThanOrEqual(5 * 2 * 3 + 25);
      // Once for a value, and for each of ten searches of bins 32 by 32 and by 32 more; then the sum of all.
      expect(most.additions).toBeLessThanOrEqual(4 * most.quads + 10 * 3 * 32 + 32);
      // Two passes add all values to bins, in three words; narrower ones add a few, and those for the place one sum a lane.
      expect(most.atomics).toBeLessThanOrEqual(2 * 3 * 4 * Math.ceil(quads / lanes) + 10 * 3);
    }
  },
);
