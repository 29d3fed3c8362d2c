// A thread with one of the app's workers in it, which finds what it knows of a browser's worker.
import { parentPort, workerData } from 'node:worker_threads';

const { script, address, flags } = workerData;
const scope = new EventTarget();
Object.assign(globalThis, {
  self: globalThis,
  postMessage: (message, move) => parentPort.postMessage(message, move),
  addEventListener: (...given) => scope.addEventListener(...given),
});
// Dry runs count on a device of their own (src/engine/webgpu/counting-device.ts); tfjs only looks whether WebGPU and its names are there.
Object.assign(globalThis, flags, { GPUBuffer: class GPUBuffer {}, GPUTexture: class GPUTexture {} });
globalThis.navigator ??= {};
Object.defineProperty(navigator, 'gpu', { value: {} });
// Only its own server may be asked (src/workers/closed.ts).
Object.defineProperty(globalThis, 'location', { value: new URL(address) });
await import(script);
// From now on it hears what was sent meanwhile.
parentPort.on('message', (data) => scope.dispatchEvent(new MessageEvent('message', { data })));
