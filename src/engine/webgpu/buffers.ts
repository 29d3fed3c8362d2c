/**
 * Counts every buffer of a device, whoever makes it: tfjs's pool, weights, cached uniforms, staging buffers. WebGPU itself
 * tells nothing of memory.
 */
export interface BufferCount {
  /** Bytes of the buffers that are alive. */
  bytes: number;
  /** The most there were at a time since `forgetPeak`. */
  peak: number;
  /** What new buffers are counted under, and the bytes alive by it, now and when there were the most. */
  part: string;
  parts: Map<string, number>;
  peakParts: Map<string, number>;
}

const counts = new WeakMap<GPUDevice, BufferCount>();

/** To be called once for a device, before it makes buffers. */
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

/** The peak is counted from here on. */
export function forgetPeak(count: BufferCount): void {
  count.peak = count.bytes;
  count.peakParts = new Map(count.parts);
}
