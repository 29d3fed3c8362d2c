// The process that runs the benchmark through Dawn, started by scripts/bench.mjs, to which it sends what the rows say, and the result.
import { pathToFileURL } from 'node:url';
import { openGpu } from './headless-node/open-gpu.mjs';

const { module, filter, device } = JSON.parse(process.argv[2]);
const send = (message) => new Promise((resolve) => process.send(message, resolve));

// jax-js maps and filters iterators, which Node can from version 22 on.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
iterators.map ??= function* (change) {
  for (const one of this) yield change(one);
};
iterators.filter ??= function* (fits) {
  for (const one of this) if (fits(one)) yield one;
};

// Nobody is left to tell anything to.
process.on('disconnect', () => process.exit(1));
try {
  const { gpu } = await openGpu({ device, adapter: null });
  // Node has one from version 21 on.
  globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  const { runBench } = await import(pathToFileURL(module).href);
  await send({ result: await runBench(filter, (said) => void send({ said })) });
} catch (error) {
  await send({ error: error.stack ?? error.message });
  process.exitCode = 1;
}
// Dawn keeps a process alive for as long as it is there.
process.exit();
