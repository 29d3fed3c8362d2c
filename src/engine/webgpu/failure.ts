/**
 * Where a device's failures meet: a shader that does not compile, a validation error, memory that ran out. WebGPU reports
 * them late and to nobody in particular, and goes on with zeros; a run must end instead.
 */
const handlers = new WeakMap<GPUDevice, (error: GPUError | Error) => void>();

export function onDeviceFailure(device: GPUDevice, handler: (error: GPUError | Error) => void): void {
  handlers.set(device, handler);
  device.addEventListener('uncapturederror', (event) => failDevice(device, event.error));
}

export function failDevice(device: GPUDevice, error: GPUError | Error): void {
  const handler = handlers.get(device);
  if (handler) handler(error);
  else console.error(error.message);
}
