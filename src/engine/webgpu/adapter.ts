/** What kernel variants may rely on for a device; set by device.ts, read by kernels. */
export interface AdapterTraits {
  /** SwiftShader and the like: lanes run on a CPU, barriers are slow, and kernels without workgroup memory win. */
  software: boolean;
  subgroups: boolean;
  f16: boolean;
}

const traits = new WeakMap<GPUDevice, AdapterTraits>();

export function setAdapterTraits(device: GPUDevice, value: AdapterTraits): void {
  traits.set(device, value);
}

export function adapterTraits(device: GPUDevice): AdapterTraits {
  return traits.get(device) ?? { software: true, subgroups: false, f16: false };
}
