// Runs before every file of the suite `gpu-node`: puts WebGPU into Node, as Dawn gives it.
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// Subgroup matrices are an experiment of Dawn's.
// Node has a navigator since version 21.
globalThis.navigator ??= {};
Object.defineProperty(navigator, 'gpu', {
  value: create(['enable-dawn-features=allow_unsafe_apis']),
  configurable: true,
});
