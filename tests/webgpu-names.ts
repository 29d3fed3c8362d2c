/** The names of WebGPU that tfjs's backend and the counting device ask for, in Node: flags as in the specification. */
export function defineWebGpuNames(): void {
  class GPUBuffer {}
  class GPUTexture {}
  const names = {
    GPUBuffer,
    GPUTexture,
    GPUBufferUsage: {
      MAP_READ: 1,
      MAP_WRITE: 2,
      COPY_SRC: 4,
      COPY_DST: 8,
      INDEX: 16,
      VERTEX: 32,
      UNIFORM: 64,
      STORAGE: 128,
      INDIRECT: 256,
      QUERY_RESOLVE: 512,
    },
    GPUMapMode: { READ: 1, WRITE: 2 },
  };
  for (const [name, value] of Object.entries(names)) Object.defineProperty(globalThis, name, { value, writable: true });
  // tfjs only looks whether it is there.
  Object.defineProperty(globalThis, 'navigator', { value: { ...globalThis.navigator, gpu: {} }, configurable: true });
}
