/** When work is replayed, and when it must not be, on a device that computes nothing. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let engine: Awaited<ReturnType<typeof load>>;
const load = async () => ({
  tf: await import('@tensorflow/tfjs-core'),
  ...(await import('../../../src/engine/webgpu/backend')),
  ...(await import('../../../src/engine/webgpu/counting-device')),
  ...(await import('../../../src/engine/webgpu/device')),
  ...(await import('../../../src/engine/webgpu/live')),
  ...(await import('../../../src/engine/webgpu/pool')),
  ...(await import('../../../src/engine/webgpu/recording')),
  ...(await import('../../../src/engine/kernels/in-place')),
  ...(await import('../../../src/engine/kernels/inputs')),
  ...(await import('../../../src/engine/kernels/pointwise/add')),
  ...(await import('../../../src/engine/kernels/pointwise/dropout')),
});

interface Values {
  pass: number;
  rows: number;
  ids: Int32Array;
}

/** Bytes written to the device's buffers, by size of the buffer. */
let written: { size: number; bytes: Uint8Array }[] = [];
let source: import('@tensorflow/tfjs-core').Tensor;
let target: import('@tensorflow/tfjs-core').Tensor;

beforeAll(async () => {
  defineWebGpuNames();
  engine = await load();
});

beforeEach(async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 65_535, minUniformBufferOffsetAlignment: 256 };
  const device = engine.createCountingDevice({ features: [], limits }, () => {});
  device.queue.writeBuffer = ((buffer: GPUBuffer, _at: number, bytes: ArrayBuffer | ArrayBufferView) => {
    const view = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset) : new Uint8Array(bytes);
    written.push({ size: buffer.size, bytes: view.slice() });
  }) as never;
  await engine.installDevice(device, { vendor: 'nvidia', architecture: 'ada' }, false);
  source = engine.keptZeros([8]);
  target = engine.keptZeros([8]);
  written = [];
});

afterEach(() => {
  engine.tf.dispose([source, target]);
  engine.disposeInputs();
});

/** How often the work was done, not replayed, over these values. */
function doneFor(all: Values[], work: (at: Values) => void, between: (i: number) => void = () => {}): number {
  const recordings = new engine.Recordings();
  let done = 0;
  all.forEach((values, i) => {
    engine.beginWork();
    const result = recordings.run('work', values, (at) => {
      done++;
      work(at);
      return 'a result';
    });
    expect(result).toBe('a result');
    between(i);
  });
  engine.flush(engine.gpuBackend());
  return done;
}

const values = (i: number): Values => ({ pass: i, rows: 2, ids: Int32Array.of(i, i + 1) });
const SIX = Array.from({ length: 6 }, (_, i) => values(i));

/** One dispatch and a copy of its result, which stays in a scratch tensor until then. */
function steady(at: { pass: number }): void {
  const made = engine.dropout(source, { p: 0.5, seed: 1, step: () => at.pass, tag: 2 });
  engine.copyValues(made, 0, target, 0, 8);
  made.dispose();
}

test('work is done twice and then replayed, with live uniforms and inputs written anew', () => {
  const done = doneFor(SIX, (at) => {
    engine.int32Input('ids', () => at.ids, [2]);
    steady(at);
  });
  expect(done).toBe(2);
  const slots = written.filter(({ size }) => size === 256).map(({ bytes }) => new Uint32Array(bytes.buffer)[2]);
  expect(slots).toEqual([2, 3, 4, 5]);
  const inputs = written.filter(({ size }) => size === 8).map(({ bytes }) => [...new Int32Array(bytes.buffer, 0, 2)]);
  expect(inputs).toEqual([1, 2, 3, 4, 5].map((i) => [i, i + 1]));
});

test('kernels of tfjs are replayed with the uniforms that they had', () => {
  const done = doneFor(SIX, (at) => {
    steady(at);
    engine.tf.clipByValue(source, 0.25, 0.5).dispose();
  });
  expect(done).toBe(2);
  const slots = written.filter(({ size }) => size === 512).map(({ bytes }) => bytes);
  expect(slots).toHaveLength(4);
  for (const bytes of slots) {
    // The limits are the last of what tfjs writes.
    const floats = [...new Float32Array(bytes.buffer, 256)];
    expect(floats).toContain(0.25);
    expect(floats).toContain(0.5);
  }
});

test('kernels of tfjs whose uniforms change are not replayed', () => {
  let limit = 0;
  const done = doneFor(SIX, (at) => {
    steady(at);
    limit++;
    engine.tf.clipByValue(source, 0, limit).dispose();
  });
  expect(done).toBe(6);
});

test('a small tensor that JavaScript makes is a constant, of which a recording keeps the bytes', () => {
  const constant = Float32Array.of(3, 1, 4, 1, 5, 9, 2, 6);
  const done = doneFor(SIX, (at) => {
    steady(at);
    engine.tf.tidy(() => void engine.addTensors(source, engine.tf.tensor(constant.slice())));
  });
  expect(done).toBe(2);
  // Uniform blocks may be as large.
  const kept = written
    .map(({ bytes }) => bytes.join())
    .filter((bytes) => bytes === new Uint8Array(constant.buffer).join());
  expect(kept).toHaveLength(1);
});

test('a value that decides something holds for its recording only', () => {
  const rows = [2, 2, 2, 3, 2, 3, 3];
  const done = doneFor(
    rows.map((rows, i) => ({ ...values(i), rows })),
    (at) => {
      for (let row = 0; row < at.rows; row++) steady(at);
    },
  );
  // Each number of rows is recorded twice.
  expect(done).toBe(4);
});

test('so does what is decided by a function of values', () => {
  const done = doneFor(
    [2, 4, 6, 7, 9, 11].map((pass) => ({ ...values(pass), pass })),
    (at) => {
      if (engine.decided(() => at.pass % 2) === 0) steady(at);
      else {
        steady(at);
        steady(at);
      }
    },
  );
  expect(done).toBe(4);
});

test.each<[string, (at: Values) => void]>([
  ['reads an array of its values', (at) => engine.int32Input('ids', at.ids.slice(), [2])],
  [
    'has uniforms that change without being live',
    (at) => engine.dropout(source, { p: 0.5, seed: 1, step: at.pass, tag: 2 }).dispose(),
  ],
  ['writes to a tensor from the CPU', () => engine.writeValues(target, new Float32Array(8))],
  [
    'uploads other values each time',
    (at) =>
      engine.tf.tidy(() => {
        const values = Float32Array.from({ length: 8 }, (_, i) => i + engine.current(() => at.pass));
        engine.addTensors(source, engine.tf.tensor(values));
      }),
  ],
  [
    // Two thousand values are more than a constant has.
    'uploads a large tensor',
    () =>
      engine.tf.tidy(() => {
        const large = engine.tf.tensor(new Float32Array(2000));
        engine.addTensors(large, large);
      }),
  ],
  ['reads values', () => void engine.readFloats(source)],
  [
    'fills an input twice',
    (at) => {
      engine.int32Input('ids', () => at.ids, [2]);
      engine.int32Input('ids', () => at.ids.map((id) => id + 1), [2]);
    },
  ],
  ['leaves a tensor', () => void engine.tf.keep(engine.addTensors(source, target))],
])('work that %s is never replayed', (_, extra) => {
  const before = engine.tf.memory().numTensors;
  const done = doneFor(SIX, (at) => {
    steady(at);
    extra(at);
  });
  expect(done).toBe(6);
  expect(engine.counters.replays).toBe(replays);
  expect(engine.tf.memory().numTensors).toBeGreaterThanOrEqual(before);
});

let replays = 0;
beforeEach(() => {
  replays = engine.counters.replays;
});

test('scratch that somebody else holds is noticed, and memory that was freed', () => {
  const held: import('@tensorflow/tfjs-core').Tensor[] = [];
  const nine = Array.from({ length: 9 }, (_, i) => values(i));
  const done = doneFor(nine, steady, (i) => {
    // All that the pool has of this size: the scratch is among them.
    if (i === 2) for (let n = 0; n < 4; n++) held.push(engine.emptyTensor([8], 'float32'));
    if (i === 5) engine.trimPool();
  });
  // Twice at first, once with other scratch, once after the pool was emptied.
  expect(done).toBe(4);
  engine.tf.dispose(held);
});

test('a tensor that is replaced by another is noticed', () => {
  const done = doneFor(SIX, steady, (i) => {
    if (i !== 3) return;
    target.dispose();
    engine.flush(engine.gpuBackend());
    target = engine.keptZeros([16]);
  });
  expect(done).toBe(3);
});

test('work that is never the same twice is done without being recorded after a while', () => {
  const reads: string[] = [];
  const many = Array.from({ length: 150 }, (_, i) => values(i));
  const done = doneFor(many, (at) => {
    // A recorded view of the values is another object.
    reads.push(many.includes(at) ? 'plain' : 'recorded');
    if (at.pass >= 0) steady(at);
  });
  expect(done).toBe(150);
  expect(reads.filter((read) => read === 'plain')).toHaveLength(150 - 96);
});

test('an error in the work passes through, and what follows is recorded', () => {
  const recordings = new engine.Recordings();
  expect(() =>
    recordings.run('work', values(0), () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(doneFor(SIX, steady)).toBe(2);
});
