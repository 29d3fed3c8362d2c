// WebGPU by Dawn in this process, on the adapter that was asked for.
import { chosen, namesIn } from './adapters.mjs';

/**
 * Puts WebGPU's names into the global scope. Throws RunError where there is no such adapter.
 *
 * @param {{ device: string, adapter: string | null }} wanted `--device` and `--adapter`
 */
export async function openGpu(wanted) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  let said = '';
  try {
    await create(['adapter=\u0001']).requestAdapter();
  } catch (error) {
    said = error.message;
  }
  const one = chosen(namesIn(said), wanted);
  return { gpu: create([`backend=${one.backend}`, `adapter=${one.name}`]), name: one.name };
}
