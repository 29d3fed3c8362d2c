// WebGPU in Node: the package `webgpu`, which is Dawn, as in Chromium. A command too, since a driver is chosen by the environment that a
// process starts with, and a driver that fails may end it:
//   node scripts/webgpu-node.mjs      prints the adapter that Dawn gives here, as JSON, or null
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const self = fileURLToPath(import.meta.url);

/** What Dawn says at every start. It is about limits that are not used here. */
const usual = /^Warning: maxDynamic\w+ artificially reduced .*$/gm;

/**
 * The adapter that Dawn gives under an environment: `{adapter}`, null if there is none, or `{problem}`, what was said instead.
 *
 * @param {Record<string, string>} [env] added to our own
 */
export function probeAdapter(env = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [self], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  // What it printed counts, however the driver's threads took the end of the process.
  const line = stdout?.trim().split('\n').at(-1);
  if (line?.startsWith('{')) return { adapter: JSON.parse(line) };
  const said = (stderr ?? '').replace(usual, '').trim().split('\n');
  if (line === 'null') return { adapter: null, problem: said.find((text) => text !== '') ?? null };
  const missing = said.find((text) => text.includes("Cannot find package 'webgpu'"));
  if (missing) return { adapter: null, problem: 'the package webgpu is not installed: npm ci installs it' };
  return { adapter: null, problem: error?.message ?? said.at(-1) ?? `ended with ${signal ?? status}` };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  const info = adapter?.info;
  console.log(
    JSON.stringify(
      adapter && {
        vendor: info.vendor,
        architecture: info.architecture,
        description: info.description,
        software: info.isFallbackAdapter === true,
        subgroups: [info.subgroupMinSize, info.subgroupMaxSize],
        features: [...adapter.features].sort(),
      },
    ),
  );
  // Dawn keeps a process alive for as long as it is there.
  process.exit(0);
}
