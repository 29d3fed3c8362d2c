/**
 * Counts every buffer of a device, whoever creates it: tfjs's pool, weights, cached uniforms, staging buffers. WebGPU
 * itself says nothing about memory.
 */
import { counters } from './counters';

/** What has become of a buffer. */
export interface BufferState {
  destroyed: boolean;
  /** The pool's: whether somebody holds it, how many buffers had been handed out then, and in which unit of work. */
  held: boolean;
  handedOut: number;
  lastUse: number;
}

const states = new WeakMap<GPUBuffer, BufferState>();

export function stateOf(buffer: GPUBuffer): BufferState {
  let state = states.get(buffer);
  if (!state) {
    state = { destroyed: false, held: false, handedOut: 0, lastUse: 0 };
    states.set(buffer, state);
  }
  return state;
}

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

/** Call once per device, before it creates buffers. Bind groups are counted too. */
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
    counters.buffers++;
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) add(part, -size);
      alive = false;
      stateOf(buffer).destroyed = true;
      destroy();
    };
    return buffer;
  };
  const bind = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    counters.bindGroups++;
    return bind(descriptor);
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
