/**
 * Observes work on the GPU while it is done: its commands and tfjs's, what it depends on, and whatever a replay of the commands would
 * leave out.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { type BufferRange, flush, type GpuBackend, watchWrites } from './backend';
import { type BufferState, stateOf } from './buffers';
import { type Exchangeable, exchangeable, setWitness, type Witness } from './live';
import { handedOutSoFar, watchPool } from './pool';

/** A uniform block with fields that differ each time. */
export interface LiveUniforms {
  bytes: number;
  write(view: DataView, at: number): void;
}

export interface DispatchRecord {
  /** The shader's key. */
  shader: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  /** What is bound, and where it is. */
  tensors: tf.TensorInfo[];
  ranges: BufferRange[];
  /** The uniform block, bound last: its buffer and its contents as a text, or what writes them if they differ each time. */
  uniforms: LiveUniforms | { buffer: GPUBuffer; text: string };
  workgroups: [number, number, number];
}

export type Command =
  | { kind: 'dispatch'; pipeline: GPUComputePipeline; bindGroup: GPUBindGroup; workgroups: [number, number, number] }
  | { kind: 'copy'; from: GPUBuffer; fromOffset: number; to: GPUBuffer; toOffset: number; size: number }
  | { kind: 'clear'; buffer: GPUBuffer; offset: number; size: number }
  | { kind: 'constant'; to: GPUBuffer; bytes: Uint8Array<ArrayBuffer> };

/** A constant of more bytes is taken for data. */
const MAX_CONSTANT = 4096;

/** An input, and how to fill it. */
export interface Input {
  /** The values if they are always the same. */
  fixed: Int32Array | Float32Array | null;
  fill(): void;
}

/** Observes a piece of work while it is done. */
export class Recorder implements Witness {
  readonly commands: Command[] = [];
  /** One text a command, without the identity of buffers, which may be others the next time. */
  readonly signature: string[] = [];
  readonly conditions: (() => boolean)[] = [];
  readonly inputs = new Map<GPUBuffer, Input>();
  readonly live: { command: number; ranges: BufferRange[]; uniforms: LiveUniforms }[] = [];
  readonly written = new Set<tf.DataId>();
  readonly buffers = new Set<GPUBuffer>();
  /** Tensors that are ranges of a buffer, and could be pointed elsewhere. */
  readonly views = new Map<tf.DataId, BufferRange>();
  /** Why it must never be replayed, and why not this time. */
  refusal: string | null = null;
  unripe: string | null = null;
  /** The next dispatch that the encoder gets is one that it was told of. */
  private announced = false;
  /** tfjs's: what it binds, and the bytes of its uniforms. */
  private readonly foreign = new Map<GPUBindGroup, readonly GPUBindGroupEntry[]>();
  private readonly uniforms = new Map<GPUBuffer, ArrayBuffer>();
  private ownWrites = 0;
  private readonly constants: { line: number; to: GPUBuffer }[] = [];
  /** A constant is being uploaded. */
  private uploading = false;

  constructor(private readonly from: number) {}

  condition(holds: () => boolean): void {
    this.conditions.push(holds);
  }

  refuse(reason: string): void {
    this.refusal ??= reason;
  }

  /** Call before the encoder gets it. */
  dispatch({ shader, pipeline, bindGroup, tensors, ranges, uniforms, workgroups }: DispatchRecord): void {
    this.announced = true;
    const fixed = 'text' in uniforms;
    if (fixed) this.buffers.add(uniforms.buffer);
    else this.live.push({ command: this.commands.length, ranges, uniforms });
    this.commands.push({ kind: 'dispatch', pipeline, bindGroup, workgroups });
    const block = fixed ? uniforms.text : `${uniforms.bytes} bytes`;
    this.signature.push(`${shader} ${block} ${workgroups} ${ranges.map(({ size }) => size)}`);
    ranges.forEach((range, i) => {
      this.buffers.add(range.buffer);
      const tensor = tensors[i];
      if (tensor && range.size < range.buffer.size) this.views.set(tensor.dataId, range);
    });
  }

  /** A dispatch of tfjs's, whose uniforms are in a buffer of its pool: what they are is kept, and written like live ones. */
  private dispatchOfTfjs(
    pipeline: GPUComputePipeline,
    bindGroup: GPUBindGroup,
    workgroups: [number, number, number],
  ): void {
    const ranges = (this.foreign.get(bindGroup) ?? []).map(({ resource }): BufferRange => {
      const { buffer, offset = 0, size = buffer.size - offset } = resource as GPUBufferBinding;
      return { buffer, offset, size };
    });
    const bytes = this.uniforms.get(ranges.pop()?.buffer as GPUBuffer);
    if (!bytes) {
      this.refuse('a kernel of tfjs without uniforms');
      return;
    }
    const words = new Uint32Array(bytes);
    const uniforms: LiveUniforms = {
      bytes: bytes.byteLength,
      write: (view, at) => new Uint32Array(view.buffer, at, words.length).set(words),
    };
    this.dispatch({
      shader: `${pipeline.label} ${words}`,
      pipeline,
      bindGroup,
      tensors: [],
      ranges,
      uniforms,
      workgroups,
    });
    this.announced = false;
  }

  input(buffer: GPUBuffer, fixed: Input['fixed'], fill: () => void): void {
    const before = this.inputs.get(buffer);
    const same =
      before?.fixed && fixed && before.fixed.length === fixed.length && fixed.every((v, i) => v === before.fixed![i]);
    if (before && !same) this.refuse('an input is filled twice');
    this.inputs.set(buffer, { fixed, fill });
    this.signature.push(`input ${buffer.size} ${fixed ?? ''}`);
    this.buffers.add(buffer);
  }

  /**
   * Uploads a tensor that JavaScript made. A small one, such as the 2 of `tf.mul(x, 2)`, is a constant: it follows from what the work
   * has read at once, on which the recording depends.
   */
  private upload({ tensorMap }: GpuBackend, id: tf.DataId, upload: () => void): void {
    const data = tensorMap.get(id);
    const { values, resource } = data;
    if (resource || !values || values.length * 4 > MAX_CONSTANT) {
      upload();
      return;
    }
    const Type = data.dtype === 'float32' ? Float32Array : Int32Array;
    const words = Type.from(values as ArrayLike<number>);
    this.uploading = true;
    try {
      upload();
    } finally {
      this.uploading = false;
    }
    const to = data.resource as GPUBuffer;
    this.commands.push({ kind: 'constant', to, bytes: new Uint8Array(words.buffer) });
    this.constants.push({ line: this.signature.length, to });
    this.signature.push(`constant ${words}`);
    this.buffers.add(to);
  }

  /** Runs what writes bytes to buffers that are taken care of. */
  writing<T>(write: () => T): T {
    this.ownWrites++;
    try {
      return write();
    } finally {
      this.ownWrites--;
    }
  }

  /** Does the work on a device whose encoders and queue report what they are given. */
  observe<R>(backend: GpuBackend, work: () => R): R {
    const { device, queue } = backend;
    const upload = backend.uploadToGPU;
    backend.uploadToGPU = (id) => this.upload(backend, id, () => upload.call(backend, id));
    const create = device.createCommandEncoder;
    const bind = device.createBindGroup;
    const write = queue.writeBuffer;
    device.createBindGroup = (descriptor) => {
      const group = bind.call(device, descriptor);
      this.foreign.set(group, [...descriptor.entries]);
      return group;
    };
    device.createCommandEncoder = (descriptor) => this.encoder(create.call(device, descriptor));
    queue.writeBuffer = ((...given: Parameters<GPUQueue['writeBuffer']>) => {
      if (this.ownWrites === 0) this.note(...given);
      write.apply(queue, given);
    }) as GPUQueue['writeBuffer'];
    watchPool({
      handedOut: (_, mapped) => {
        if (mapped && !this.uploading) this.unripe ??= 'a tensor is uploaded';
      },
      givenBack: (state) => {
        if (state.handedOut <= this.from) this.unripe ??= 'a tensor from before is disposed';
      },
    });
    watchWrites((id) => this.written.add(id));
    setWitness(this);
    try {
      return work();
    } finally {
      setWitness(null);
      watchWrites(null);
      watchPool(null);
      backend.uploadToGPU = upload;
      device.createCommandEncoder = create;
      device.createBindGroup = bind;
      queue.writeBuffer = write;
    }
  }

  /** tfjs writes uniforms, each time to another buffer; nothing else may be written. */
  private note(...[buffer, at, data, begin = 0, size]: Parameters<GPUQueue['writeBuffer']>): void {
    if (buffer.usage & GPUBufferUsage.UNIFORM && at === 0 && data instanceof ArrayBuffer) {
      this.uniforms.set(buffer, data.slice(begin, size === undefined ? undefined : begin + size));
    } else this.refuse('JavaScript writes bytes');
  }

  private encoder(real: GPUCommandEncoder): GPUCommandEncoder {
    const refusing = (
      name: 'copyBufferToTexture' | 'copyTextureToBuffer' | 'copyTextureToTexture' | 'resolveQuerySet',
    ) => ({
      [name]: (...given: unknown[]) => {
        this.refuse(`the work calls ${name}`);
        (real[name] as (...args: unknown[]) => void)(...given);
      },
    });
    const own = {
      ...refusing('copyBufferToTexture'),
      ...refusing('copyTextureToBuffer'),
      ...refusing('copyTextureToTexture'),
      ...refusing('resolveQuerySet'),
      beginComputePass: (descriptor?: GPUComputePassDescriptor) => this.pass(real.beginComputePass(descriptor)),
      copyBufferToBuffer: (from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number) => {
        real.copyBufferToBuffer(from, fromOffset, to, toOffset, size);
        if (from.usage & GPUBufferUsage.MAP_WRITE) {
          if (!this.uploading) this.unripe ??= 'a tensor is uploaded';
        } else if (to.usage & GPUBufferUsage.MAP_READ) this.refuse('the work reads values');
        else {
          this.commands.push({ kind: 'copy', from, fromOffset, to, toOffset, size });
          this.signature.push(`copy ${fromOffset} ${toOffset} ${size}`);
          this.buffers.add(from).add(to);
        }
      },
      clearBuffer: (buffer: GPUBuffer, offset = 0, size = buffer.size - offset) => {
        real.clearBuffer(buffer, offset, size);
        this.commands.push({ kind: 'clear', buffer, offset, size });
        this.signature.push(`clear ${offset} ${size}`);
        this.buffers.add(buffer);
      },
      finish: (descriptor?: GPUCommandBufferDescriptor) => real.finish(descriptor),
    };
    return own as unknown as GPUCommandEncoder;
  }

  private pass(real: GPUComputePassEncoder): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline;
    let group: GPUBindGroup;
    const own = {
      setPipeline: (given: GPUComputePipeline) => {
        pipeline = given;
        real.setPipeline(given);
      },
      setBindGroup: (index: number, given: GPUBindGroup) => {
        group = given;
        real.setBindGroup(index, given);
      },
      dispatchWorkgroups: (x: number, y = 1, z = 1) => {
        if (!this.announced) this.dispatchOfTfjs(pipeline, group, [x, y, z]);
        this.announced = false;
        real.dispatchWorkgroups(x, y, z);
      },
      end: () => real.end(),
    };
    return own as unknown as GPUComputePassEncoder;
  }

  /** Call when the work is done and submitted. */
  close({ tensorMap }: GpuBackend): void {
    for (const id of this.views.keys()) if (!tensorMap.has(id)) this.views.delete(id);
    for (const buffer of this.buffers) {
      const { held, handedOut } = stateOf(buffer);
      if (held && handedOut > this.from) this.unripe ??= 'a new tensor stays';
    }
    // What stays was uploaded for good, and the next time it is there.
    for (const { line, to } of this.constants.reverse()) if (stateOf(to).held) this.signature.splice(line, 1);
    // What is remembered of the work, such as its conditions, leads here: bind groups of tfjs must not live as long.
    this.foreign.clear();
    this.uniforms.clear();
  }

  /** Whether the pool handed the buffer out during the work. */
  isScratch({ handedOut }: BufferState): boolean {
    return handedOut > this.from;
  }
}

let recorder: Recorder | null = null;
/** Who is recording now. */
export const activeRecorder = (): Recorder | null => recorder;

/** Does work under a recorder, on values that can be exchanged. */
export function record<V extends object, R>(
  backend: GpuBackend,
  values: V,
  work: (values: V) => R,
): { by: Recorder; values: Exchangeable<V>; result: R } {
  // So that the work's own commands begin a new encoder, and what was freed before is free.
  flush(backend);
  const by = new Recorder(handedOutSoFar());
  const seen = exchangeable(values, by);
  recorder = by;
  try {
    const result = by.observe(backend, () => {
      const made = work(seen.view);
      flush(backend);
      return made;
    });
    return { by, values: seen, result };
  } finally {
    recorder = null;
    by.close(backend);
  }
}
