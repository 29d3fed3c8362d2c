// The process that measures a GPU through Dawn: whatever its driver does ends nothing else. Started by scripts/gpu-report.mjs, to which it
// sends how far it is, and the result.
import { pathToFileURL } from 'node:url';
import { openGpu } from '../headless-node/open-gpu.mjs';

const { module, device, adapter } = JSON.parse(process.argv[2]);
const send = (message) => new Promise((resolve) => process.send(message, resolve));

// Nobody is left to tell anything to.
process.on('disconnect', () => process.exit(1));
try {
  const { gpu } = await openGpu({ device, adapter });
  globalThis.navigator ??= {};
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  const { createBenchmarkService } = await import(pathToFileURL(module).href);
  const result = await createBenchmarkService().run((progress) => void send({ progress }));
  await send({ result });
} catch (error) {
  await send({ error: error.data ?? error.toData?.() ?? { message: error.message, details: error.stack } });
  process.exitCode = 1;
}
// Dawn keeps a process alive for as long as it is there.
process.exit();
