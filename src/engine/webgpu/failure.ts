/**
 * Where a device's failures come together: a shader that does not compile, a validation error, exhausted memory. WebGPU
 * reports them late, to no caller in particular, and carries on with zeros; a run must end instead.
 */
const handlers = new WeakMap<GPUDevice, (error: GPUError | Error) => void>();
const diagnoses = new WeakMap<GPUDevice, Set<Promise<unknown>>>();

export function onDeviceFailure(device: GPUDevice, handler: (error: GPUError | Error) => void): void {
  handlers.set(device, handler);
  device.addEventListener('uncapturederror', async (event) => {
    // A broken shader invalidates everything that uses it, so its own message must come first.
    await Promise.allSettled(diagnoses.get(device) ?? []);
    failDevice(device, event.error);
  });
}

/** Delays reports of device errors until this diagnosis is done, since they may be its consequences. */
export function diagnoseFirst(device: GPUDevice, diagnosis: Promise<unknown>): void {
  const open = diagnoses.get(device) ?? new Set();
  diagnoses.set(device, open.add(diagnosis));
  const done = () => open.delete(diagnosis);
  diagnosis.then(done, done);
}

export function failDevice(device: GPUDevice, error: GPUError | Error): void {
  const handler = handlers.get(device);
  if (handler) handler(error);
  else console.error(error.message);
}
