/**
 * A GPU device that computes nothing and stores nothing: its buffers know their size, and it accepts any work. Under tfjs's
 * own backend and our kernels it shows how much memory they would take, because the code that requests buffers, keeps them
 * and reuses them is the code that would run.
 */

/** The properties of a real device that decide how the engine uses memory. */
export interface DeviceTraits {
  vendor: string;
  architecture: string;
  software: boolean;
  features: string[];
  limits: Record<string, number>;
}

/** A buffer that the real device would refuse to create, or to bind to a shader. */
export interface Refusal {
  limit: 'maxBufferSize' | 'maxStorageBufferBindingSize';
  bytes: number;
}

/** More than the engine ever reads back in order to decide something. */
const READ_BYTES = 4096;

/** Calls `refuse` for whatever exceeds the limits, where the real device would fail. */
export function createCountingDevice(
  { features, limits }: Pick<DeviceTraits, 'features' | 'limits'>,
  refuse: (refusal: Refusal) => void,
): GPUDevice {
  const check = (limit: Refusal['limit'], bytes: number) => {
    if (bytes > (limits[limit] ?? Infinity)) refuse({ limit, bytes });
  };
  /** Memory that tfjs fills on its way to a buffer; one for all, since nothing reads it. */
  let scratch = new ArrayBuffer(0);
  // Ones: a finite loss, and a gradient that is neither zero nor infinite.
  const readable = new Float32Array(READ_BYTES / 4).fill(1).buffer;
  const mapped = (bytes: number): ArrayBuffer => {
    if (scratch.byteLength < bytes) scratch = new ArrayBuffer(Math.max(bytes, 2 * scratch.byteLength));
    return scratch;
  };

  const createBuffer = ({ size, usage, mappedAtCreation = false }: GPUBufferDescriptor): GPUBuffer => {
    check('maxBufferSize', size);
    let state: GPUBufferMapState = mappedAtCreation ? 'mapped' : 'unmapped';
    const own = {
      size,
      usage,
      get mapState() {
        return state;
      },
      mapAsync: async () => {
        state = 'mapped';
      },
      getMappedRange: () => (usage & GPUBufferUsage.MAP_READ ? readable : mapped(size)),
      unmap: () => {
        state = 'unmapped';
      },
      destroy: () => {},
    };
    // tfjs checks `instanceof GPUBuffer`; the class's own fields cannot be set, so these shadow them.
    return Object.create(GPUBuffer.prototype, Object.getOwnPropertyDescriptors(own)) as GPUBuffer;
  };

  const createBindGroup = ({ entries }: GPUBindGroupDescriptor) => {
    for (const { resource } of entries) {
      const { buffer, offset = 0, size = buffer.size - offset } = resource as GPUBufferBinding;
      check('maxStorageBufferBindingSize', size);
    }
    return {};
  };

  const nothing = () => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => ({}),
  };
  const pipeline = { getBindGroupLayout: () => ({}) };
  const device = {
    features: new Set(features),
    limits,
    // Never lost.
    lost: new Promise(nothing),
    queue: { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: async () => {} },
    createBuffer,
    createShaderModule: () => ({}),
    createComputePipeline: () => pipeline,
    createBindGroup,
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    addEventListener: nothing,
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}
