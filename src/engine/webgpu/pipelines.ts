/**
 * Compute pipelines of our shaders, by device. A shader that is first needed in the middle of a step is compiled there, one after
 * another; those that a run is known to need are compiled before it, at once, on the threads that the browser has for it.
 */
import { diagnoseFirst, failDevice } from './failure';

export interface Program {
  /** Unique to the source: everything compiled into `wgsl` must be part of it. */
  key: string;
  /**
   * Bindings 0..n-1 are the tensors in order, n the uniforms (`var<uniform>`), all in group 0; the entry point is `main`.
   * Long sources are functions, called once.
   */
  wgsl: string | (() => string);
}

/** A program with its source written out. */
export interface Shader {
  key: string;
  code: string;
}

export interface Pipeline {
  pipeline: GPUComputePipeline;
  /** Of no other pipeline on the device. */
  id: number;
}

interface Pipelines {
  known: Map<string, Pipeline>;
  nextId: number;
}

const ofDevice = new WeakMap<GPUDevice, Pipelines>();

function pipelinesOf(device: GPUDevice): Pipelines {
  let pipelines = ofDevice.get(device);
  if (!pipelines) {
    pipelines = { known: new Map(), nextId: 1 };
    ofDevice.set(device, pipelines);
  }
  return pipelines;
}

let watch: ((shader: Shader) => void) | null = null;
/** Whoever wants to know which shaders a device is given; one at a time. */
export function watchShaders(by: typeof watch): void {
  watch = by;
}

function keep(pipelines: Pipelines, key: string, pipeline: GPUComputePipeline): Pipeline {
  const entry = { pipeline, id: pipelines.nextId++ };
  pipelines.known.set(key, entry);
  return entry;
}

const describedBy = (device: GPUDevice, { key, code }: Shader) => {
  const module = device.createShaderModule({ label: key, code });
  const descriptor = { label: key, layout: 'auto' as const, compute: { module, entryPoint: 'main' } };
  return { module, descriptor };
};

/** The program's pipeline, compiled now if it was not before. A source with an error fails the device, with the error. */
export function pipelineOf(device: GPUDevice, program: Program): Pipeline {
  const pipelines = pipelinesOf(device);
  const before = pipelines.known.get(program.key);
  if (before) return before;
  const code = typeof program.wgsl === 'string' ? program.wgsl : program.wgsl();
  watch?.({ key: program.key, code });
  device.pushErrorScope('validation');
  const { module, descriptor } = describedBy(device, { key: program.key, code });
  const pipeline = device.createComputePipeline(descriptor);
  const diagnosis = device.popErrorScope().then(async (error) => {
    if (!error) return;
    const info = await module.getCompilationInfo();
    const lines = info.messages.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join('\n');
    const text = `${lines || error.message}\n${numbered(code)}`;
    failDevice(device, new Error(`Shader ${program.key} does not compile.\n${text}`));
  });
  // Rejects if the device is gone, which is reported elsewhere.
  diagnoseFirst(device, diagnosis);
  return keep(pipelines, program.key, pipeline);
}

export interface CompileOptions {
  stopped?: () => boolean;
  /** Of those that had to be compiled. */
  onProgress?: (share: number) => void;
}

/** As often as someone may want to stop it. */
const POLL_MS = 100;

/**
 * Compiles what is not yet, all at once, and resolves when everything is done or `stopped`. What does not compile is left to
 * `pipelineOf`, which says why.
 */
export async function compileShaders(
  device: GPUDevice,
  shaders: readonly Shader[],
  { stopped = () => false, onProgress = () => {} }: CompileOptions = {},
): Promise<void> {
  const pipelines = pipelinesOf(device);
  const missing = shaders.filter(({ key }) => !pipelines.known.has(key));
  let done = 0;
  const all = missing.map(async (shader) => {
    // Or the page would hear of an error that the run will report.
    device.pushErrorScope('validation');
    const compiled = device.createComputePipelineAsync(describedBy(device, shader).descriptor).catch(() => null);
    void device.popErrorScope().catch(() => {});
    const pipeline = await compiled;
    // What was needed meanwhile has been compiled there.
    if (pipeline && !pipelines.known.has(shader.key)) keep(pipelines, shader.key, pipeline);
    done++;
  });
  const finished = Promise.all(all).then(() => true);
  while (missing.length > 0 && !stopped()) {
    onProgress(done / missing.length);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, POLL_MS, false);
    });
    const ended = await Promise.race([finished, waited]);
    clearTimeout(timer);
    if (ended) break;
  }
}

function numbered(source: string): string {
  return source
    .split('\n')
    .map((line, i) => `${i + 1}\t${line}`)
    .join('\n');
}
