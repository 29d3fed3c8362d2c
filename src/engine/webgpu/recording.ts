/**
 * Records the GPU commands of a piece of work and replays them: the same pipelines, bind groups, copies and sizes, without the
 * JavaScript that led to them. What differs each time is written again: uniform blocks whose fields are functions (live.ts) lie
 * in one buffer, and integer inputs are filled as ever.
 *
 * Whether something may be replayed is observed and not declared. Work is recorded twice in full; it is replayed if both lists of
 * commands are the same, if all that it read of its values is as it was, and if nothing happened that a replay would leave
 * out (bytes from JavaScript, tensors that stay).
 *
 * A recording owns no memory but that of its uniforms and constants. The scratch buffers that it names are the pool's: they must be free when it is replayed, and are left
 * free. When one was destroyed, or is held by somebody else, or when a buffer that the work found in use changed hands,
 * the work is done as before and recorded anew.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type BufferRange, computePass, copyEncoder, flush, type GpuBackend, isGpu, SUBMIT_BATCH } from './backend';
import { type BufferState, stateOf } from './buffers';
import { counters } from './counters';
import type { Exchangeable } from './live';
import { onTrim, touchFree } from './pool';
import { activeRecorder, type Command, type Input, type LiveUniforms, type Recorder, record } from './recorder';

/** The commands of a piece of work, ready to be given to the GPU again. */
class Replay {
  /** Of the scratch buffers, and of all others with whose they were. */
  private readonly scratch: BufferState[] = [];
  private readonly lasting: { state: BufferState; handedOut: number }[] = [];
  private readonly views: {
    tensor: { resource?: GPUBuffer | BufferRange | null };
    buffer: GPUBuffer;
    offset: number;
  }[];
  private readonly inputs: Input[];
  private readonly written: tf.DataId[];
  private readonly slots: {
    buffer: GPUBuffer;
    view: DataView;
    blocks: { at: number; uniforms: LiveUniforms }[];
  } | null;
  private readonly commands: Exclude<Command, { kind: 'constant' }>[];
  private readonly constants: GPUBuffer | null;

  constructor(backend: GpuBackend, from: Recorder) {
    replays.add(this);
    const { device } = backend;
    const constants = constantsOf(backend, from.commands);
    this.commands = constants.commands;
    this.constants = constants.buffer;
    this.inputs = [...from.inputs.values()];
    this.views = [...from.views].map(([id, range]) => ({ ...range, tensor: backend.tensorMap.get(id) }));
    this.written = [...from.written].filter((id) => backend.tensorMap.has(id));
    for (const buffer of from.buffers) {
      const state = stateOf(buffer);
      if (from.isScratch(state)) this.scratch.push(state);
      else this.lasting.push({ state, handedOut: state.handedOut });
    }
    const unit = device.limits.minUniformBufferOffsetAlignment ?? 256;
    let bytes = 0;
    const places = from.live.map(({ uniforms }) => {
      const at = bytes;
      bytes += Math.ceil(uniforms.bytes / unit) * unit;
      return at;
    });
    if (bytes === 0) {
      this.slots = null;
      return;
    }
    const buffer = device.createBuffer({ size: bytes, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    const blocks = from.live.map(({ uniforms }, i) => ({ at: places[i]!, uniforms }));
    this.slots = { buffer, view: new DataView(new ArrayBuffer(bytes)), blocks };
    from.live.forEach(({ command, ranges, uniforms }, i) => {
      const call = this.commands[command];
      if (call?.kind !== 'dispatch') throw new Error('Live uniforms of something that is no dispatch.');
      const block: GPUBufferBinding = { buffer, offset: places[i]!, size: uniforms.bytes };
      call.bindGroup = device.createBindGroup({
        layout: call.pipeline.getBindGroupLayout(0),
        entries: [...ranges, block].map((resource, binding) => ({ binding, resource })),
      });
    });
  }

  /** Whether every buffer is as it was. */
  isReady(): boolean {
    if (!replays.has(this)) return false;
    for (const { held, destroyed } of this.scratch) if (held || destroyed) return false;
    for (const { state, handedOut } of this.lasting) {
      if (state.destroyed || state.handedOut !== handedOut || (handedOut > 0 && !state.held)) return false;
    }
    for (const { tensor, buffer, offset } of this.views) {
      const now = tensor.resource;
      if (!now || !('buffer' in now) || now.buffer !== buffer || now.offset !== offset) return false;
    }
    return true;
  }

  /** Records the commands into tfjs's queue, at most `batch` dispatches a submit. */
  run(backend: GpuBackend, batch: number): void {
    // Bytes that are written now would overtake recorded work.
    flush(backend);
    for (const { fill } of this.inputs) fill();
    if (this.slots) {
      const { buffer, view, blocks } = this.slots;
      for (const { at, uniforms } of blocks) uniforms.write(view, at);
      backend.queue.writeBuffer(buffer, 0, view.buffer as ArrayBuffer);
    }
    touchFree(backend, this.scratch);
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    for (const command of this.commands) {
      if (command.kind === 'dispatch') {
        if (!pass) {
          pass = computePass(backend);
          pipeline = null;
        }
        if (command.pipeline !== pipeline) {
          pipeline = command.pipeline;
          pass.setPipeline(pipeline);
        }
        pass.setBindGroup(0, command.bindGroup);
        const [x, y, z] = command.workgroups;
        pass.dispatchWorkgroups(x, y, z);
        backend.dispatchCountInPass++;
        if (backend.dispatchCountInPass < batch) continue;
        flush(backend);
        pass = null;
        continue;
      }
      pass = null;
      const encoder = copyEncoder(backend);
      if (command.kind === 'clear') encoder.clearBuffer(command.buffer, command.offset, command.size);
      else encoder.copyBufferToBuffer(command.from, command.fromOffset, command.to, command.toOffset, command.size);
    }
    // What tfjs may have read back since is old.
    for (const id of this.written) if (backend.tensorMap.has(id)) backend.tensorMap.get(id).values = null;
  }

  dispose(): void {
    replays.delete(this);
    this.slots?.buffer.destroy();
    this.constants?.destroy();
  }
}

/** Commands whose constants are copied from one buffer that holds them all. */
function constantsOf({ device, queue }: GpuBackend, commands: readonly Command[]) {
  const all = commands.filter((command) => command.kind === 'constant');
  const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size === 0) return { commands: commands.filter((command) => command.kind !== 'constant'), buffer: null };
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const bytes = new Uint8Array(size);
  let at = 0;
  const copies = commands.map((command) => {
    if (command.kind !== 'constant') return command;
    bytes.set(command.bytes, at);
    const copy = {
      kind: 'copy',
      from: buffer,
      fromOffset: at,
      to: command.to,
      toOffset: 0,
      size: command.bytes.length,
    } as const;
    at += command.bytes.length;
    return copy;
  });
  queue.writeBuffer(buffer, 0, bytes);
  return { commands: copies, buffer };
}

/** All there are: they go when memory is freed between models and runs. */
const replays = new Set<Replay>();
onTrim(() => {
  for (const replay of replays) replay.dispose();
});

/** Work that was recorded for values of some shape. */
interface Recorded {
  values: Exchangeable<object>;
  conditions: (() => boolean)[];
  signature: string[];
  result: unknown;
  /** Null until the same was recorded twice. */
  replay: Replay | null;
}

/** So many shapes of one kind of work are remembered. */
const MAX_SHAPES = 32;
/** No more recordings are made after so many that were refused, or that nothing came back to. */
const MAX_REFUSED = 4;
const MAX_IN_VAIN = 3 * MAX_SHAPES;
/**
 * A submit carries what takes the GPU about so long. It cannot do anything else meanwhile, such as drawing the page, and systems reset a GPU that
 * does not end a submit within some seconds.
 */
const SUBMIT_SECONDS = 0.1;

/** The recordings of one run. */
export class Recordings {
  private readonly works = new Map<string, { shapes: Recorded[]; refused: number; inVain: number }>();
  private batch = SUBMIT_BATCH;

  /** What was measured of replayed and other work alike. */
  measured(seconds: number, dispatches: number): void {
    // A coarse clock may give no time at all.
    if (dispatches > 0 && seconds > 0)
      this.batch = Math.max(SUBMIT_BATCH, Math.ceil((SUBMIT_SECONDS * dispatches) / seconds));
  }

  dispose(): void {
    const backend = tf.backend();
    // Commands may be recorded and not submitted yet.
    if (isGpu(backend)) flush(backend);
    for (const { shapes } of this.works.values()) for (const { replay } of shapes) replay?.dispose();
    this.works.clear();
  }

  /**
   * Does `work`, which takes whatever differs each time from its values, or replays it. `key` names the work with all else that it
   * depends on. Its result must be plain data that follows from what the values' view showed; it leaves no new tensors.
   */
  run<V extends object, R>(key: string, values: V, work: (values: V) => R): R {
    const backend = tf.backend();
    let known = this.works.get(key);
    if (!isGpu(backend) || activeRecorder()) return work(values);
    if (known && (known.refused >= MAX_REFUSED || known.inVain >= MAX_IN_VAIN)) return work(values);
    if (!known) {
      known = { shapes: [], refused: 0, inVain: 0 };
      this.works.set(key, known);
    }
    const { shapes } = known;
    const at = shapes.findIndex((shape) => fits(shape, values));
    const before = at < 0 ? null : shapes.splice(at, 1)[0]!;
    if (before?.replay?.isReady()) {
      // First, so that a replay that throws is not lost.
      shapes.unshift(before);
      before.replay.run(backend, this.batch);
      counters.replays++;
      Object.assign(known, { refused: 0, inVain: 0 });
      return before.result as R;
    }
    // Its commands may be recorded and not submitted yet.
    if (before?.replay) flush(backend);
    before?.replay?.dispose();
    known.inVain++;
    const { by, values: seen, result } = record(backend, values, work);
    if (by.refusal) {
      known.refused++;
      return result;
    }
    // What is new the first time is there the second time, or it is new every time.
    if (by.unripe && before) known.refused++;
    const { conditions, signature } = by;
    const same =
      signature.length === before?.signature.length && signature.every((line, i) => line === before.signature[i]);
    const replay = same && !by.unripe ? new Replay(backend, by) : null;
    // What stays of the recorder, through the values' view, are the conditions.
    if (!replay) by.commands.length = 0;
    by.buffers.clear();
    shapes.unshift({ values: seen as Exchangeable<object>, conditions, signature, result, replay });
    for (const old of shapes.splice(MAX_SHAPES)) old.replay?.dispose();
    return result;
  }
}

/** Whether everything that a recording's work read of its values is the same in these. */
function fits({ values, conditions }: Recorded, others: object): boolean {
  values.exchange(others);
  try {
    return conditions.every((holds) => holds());
  } catch {
    // Other values may not even have what these conditions are about.
    return false;
  }
}
