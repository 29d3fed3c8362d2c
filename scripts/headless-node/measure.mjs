// The process that measures through Dawn: whatever its driver does ends nothing else. Started by measure-in-dawn.mjs, to which it sends how
// far it is, and the result.
import { pathToFileURL } from 'node:url';
import { openGpu } from './open-gpu.mjs';

const { module, what, device, adapter, filter } = JSON.parse(process.argv[2]);
const send = (message) => new Promise((resolve) => process.send(message, resolve));

const measure = {
  // Rows of `npm run bench`, in the order in which they are printed.
  bench: ({ runBench }, tell) => runBench(filter, tell),
  // The benchmark of the Model page.
  device: ({ createBenchmarkService }, tell) => createBenchmarkService().run(tell),
};

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
  const { gpu } = await openGpu({ device, adapter });
  // Node has one from version 21 on.
  globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  const result = await measure[what](await import(pathToFileURL(module).href), (progress) => void send({ progress }));
  await send({ result });
} catch (error) {
  await send({ error: error.data ?? error.toData?.() ?? { message: error.message, details: error.stack } });
  process.exitCode = 1;
}
// Dawn keeps a process alive for as long as it is there.
process.exit();
