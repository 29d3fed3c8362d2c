// The adapters that Dawn has, and the choice among them.
import { RunError } from '../run-error.mjs';

const drivers =
  'Install the driver of this computer’s GPU with its Vulkan part and the Vulkan loader (Debian and Ubuntu: libvulkan1). Without a GPU, install Mesa 25 or newer (mesa-vulkan-drivers), whose llvmpipe runs on the CPU, or name a driver’s file in VK_DRIVER_FILES.';

const refused = (message, action) => new RunError({ code: 'no_webgpu', where: '--runtime node', message, action });

const isSoftware = (name) => /llvmpipe|lavapipe|swiftshader|basic render driver/i.test(name);

/** @typedef {{ backend: string, name: string }} Listed */

/**
 * The names in what Dawn says when it is asked for an adapter that is not there.
 *
 * @param {string} message
 * @returns {Listed[]}
 */
export function namesIn(message) {
  return [...message.matchAll(/^ *\* backend: '(.+?)', name: '(.*)'$/gm)].map(([, backend, name]) => ({
    backend,
    name,
  }));
}

/**
 * The one to open, by `--device` and `--adapter`. Throws RunError with the names that there are.
 *
 * @param {Listed[]} found as Dawn lists them
 * @param {{ device?: string, adapter?: string | null }} [wanted]
 * @returns {Listed}
 */
export function chosen(found, { device = 'auto', adapter = null } = {}) {
  const usable = found.filter(({ backend }) => backend !== 'null');
  if (usable.length === 0) throw refused('Dawn finds no GPU and no driver that runs on the CPU.', drivers);
  const names = usable.map(({ name }) => name).join('; ');
  if (adapter !== null) {
    const named = usable.filter(({ name }) => name.toLowerCase().includes(adapter.toLowerCase()));
    if (named.length > 0) return named[0];
    throw new RunError({
      code: 'no_webgpu',
      where: `--adapter ${adapter}`,
      message: 'There is no such GPU.',
      action: `There are: ${names}.`,
    });
  }
  const kinds = { hardware: [false], software: [true], auto: [false, true] }[device];
  for (const software of kinds) {
    const one = usable.find(({ name }) => isSoftware(name) === software);
    if (one) return one;
  }
  if (device === 'hardware') throw refused(`There is no GPU here, only ${names}.`, `${drivers} Or leave --device out.`);
  throw refused(`There is no driver here that runs on the CPU, only ${names}.`, 'Leave --device software out.');
}
