/**
 * Counts every buffer of a device, whoever creates it: tfjs's pool, weights, cached uniforms, staging buffers. WebGPU
 * itself says nothing about memory.
 */
export interface BufferCount {
  /** Bytes of live buffers. */
  bytes: number;
  /** The maximum of `bytes` since `forgetPeak`. */
  peak: number;
  /** The part that new buffers are counted under, and the live bytes per part, now and at the peak. */
  part: string;
  parts: Map<string, number>;
  peakParts: Map<string, number>;
}

const counts = new WeakMap<GPUDevice, BufferCount>();

/** Call once per device, before it creates buffers. */
export function countBuffers(device: GPUDevice): BufferCount {
  const count: BufferCount = { bytes: 0, peak: 0, part: '', parts: new Map(), peakParts: new Map() };
  counts.set(device, count);
  const add = (part: string, bytes: number) => {
    count.bytes += bytes;
    count.parts.set(part, (count.parts.get(part) ?? 0) + bytes);
    if (count.bytes <= count.peak) return;
    count.peak = count.bytes;
    count.peakParts = new Map(count.parts);
  };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const { size } = buffer;
    const { part } = count;
    add(part, size);
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) add(part, -size);
      alive = false;
      destroy();
    };
    return buffer;
  };
  return count;
}

export function bufferCount(device: GPUDevice): BufferCount {
  const count = counts.get(device);
  if (!count) throw new Error('The buffers of this device are not counted.');
  return count;
}

/** Restarts the measurement of the peak. */
export function forgetPeak(count: BufferCount): void {
  count.peak = count.bytes;
  count.peakParts = new Map(count.parts);
}
