/** How long the GPU takes for dispatches: by its own clock where it has one, else by the page's, until the queue is done. */
import { flush, type GpuBackend } from './backend';

export type Clock = 'gpu' | 'page';

/** Bytes of two timestamps. */
const BYTES = 16;

export const clockOf = ({ device }: Pick<GpuBackend, 'device'>): Clock =>
  device.features.has('timestamp-query') ? 'gpu' : 'page';

/** Milliseconds of `runs` times what `record` records. Nothing else may be recorded meanwhile. */
export async function gpuTime(backend: GpuBackend, record: () => void, runs: number, clock: Clock): Promise<number> {
  flush(backend);
  if (clock === 'gpu') return byGpu(backend, record, runs);
  const begun = performance.now();
  for (let i = 0; i < runs; i++) record();
  flush(backend);
  await backend.queue.onSubmittedWorkDone();
  return performance.now() - begun;
}

/** From the beginning of the pass with the first run to the end of the one with the last; there may be submits in between. */
async function byGpu(backend: GpuBackend, record: () => void, runs: number): Promise<number> {
  const { device } = backend;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const resolved = device.createBuffer({ size: BYTES, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: BYTES, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const begin = (writes: Omit<GPUComputePassTimestampWrites, 'querySet'>) => {
    flush(backend);
    backend.ensureCommandEncoderReady();
    backend.computePassEncoder = backend.commandEncoder!.beginComputePass({ timestampWrites: { querySet, ...writes } });
  };
  try {
    const first = { beginningOfPassWriteIndex: 0 };
    const last = { endOfPassWriteIndex: 1 };
    begin(runs === 1 ? { ...first, ...last } : first);
    for (let i = 1; i < runs; i++) record();
    if (runs > 1) begin(last);
    record();
    flush(backend);
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, BYTES);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const [start, end] = new BigUint64Array(read.getMappedRange());
    // A clock that was reset in between has measured nothing.
    return Math.max(0, Number(end! - start!)) / 1e6;
  } finally {
    querySet.destroy();
    resolved.destroy();
    read.destroy();
  }
}
