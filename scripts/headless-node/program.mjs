// The process in which `npm run headless -- --runtime node` runs a recipe: Node with what it lacks of a browser's page. Started and spoken to
// by index.mjs. The GPU's driver lives here too, so that whatever ends it ends nothing else.
import 'fake-indexeddb/auto';
import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openGpu } from './open-gpu.mjs';
import { privateFiles } from './private-files.mjs';

const { address, modules, folder, device, adapter } = JSON.parse(process.argv[2]);

const send = (message) =>
  new Promise((resolve, reject) => {
    process.send(message, (error) => (error ? reject(error) : resolve()));
  });

// A browser goes on after either; Node would end.
for (const kind of ['uncaughtException', 'unhandledRejection']) {
  process.on(kind, (cause) => console.error(`${kind}:`, cause));
}
// Nobody is left to tell anything to.
process.on('disconnect', () => process.exit(1));

/** What the app asks of `navigator`; Node has one since version 21. */
function addToNavigator(parts) {
  globalThis.navigator ??= {};
  for (const [name, value] of Object.entries(parts)) {
    Object.defineProperty(navigator, name, { value, configurable: true });
  }
}

/** Dawn's flags, as plain numbers that a thread can be given. */
function flags() {
  const plain = (object) => {
    const names = Object.getOwnPropertyNames(object).filter(
      (name) => typeof object[name] === 'number' && name !== 'length',
    );
    return Object.fromEntries(names.map((name) => [name, object[name]]));
  };
  return {
    GPUBufferUsage: plain(GPUBufferUsage),
    GPUMapMode: plain(GPUMapMode),
    GPUTextureUsage: plain(GPUTextureUsage),
  };
}

/** A worker as the app knows it, in a thread of Node. */
function startThread(name) {
  const script = pathToFileURL(path.join(modules, `${name}.mjs`)).href;
  const worker = new Worker(new URL('thread.mjs', import.meta.url), {
    name,
    workerData: { script, address, flags: flags() },
  });
  const listeners = new EventTarget();
  const tell = (type, facts) => listeners.dispatchEvent(Object.assign(new Event(type), facts));
  let ended = false;
  worker.on('message', (data) => tell('message', { data }));
  worker.on('messageerror', () => tell('messageerror', {}));
  worker.on('error', (error) => tell('error', { message: error?.message ?? String(error), filename: name, lineno: 0 }));
  worker.on('exit', (code) => {
    if (!ended) tell('error', { message: `the thread ended with code ${code}`, filename: name, lineno: 0 });
  });
  worker.postMessage({ type: 'page', url: address });
  return {
    postMessage: (message, move) => worker.postMessage(message, move),
    addEventListener: (type, listener) => listeners.addEventListener(type, listener),
    terminate() {
      ended = true;
      void worker.terminate();
    },
  };
}

/** @type {Record<string, File[]>} by the name of the page's input */
let files = {};

const open = async (place) => new File([await openAsBlob(place)], path.basename(place));

try {
  const { gpu, name } = await openGpu({ device, adapter });
  addToNavigator({ gpu, storage: { getDirectory: privateFiles(folder) } });
  const { program, startInNode, tidy } = await import(pathToFileURL(path.join(modules, 'program.mjs')).href);
  startInNode({
    address,
    startThread,
    tell: (message) => send({ type: 'told', message }),
    files: (input) => files[input] ?? [],
  });
  process.on('message', async ({ method, args, inputs }) => {
    files = {};
    for (const [input, places] of Object.entries(inputs)) files[input] = await Promise.all(places.map(open));
    const outcome = await program[method](...args);
    await tidy();
    await send({ type: 'outcome', outcome });
  });
  // Of a run that was killed.
  await tidy();
  await send({ type: 'ready', gpu: name });
} catch (error) {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes("'webgpu'");
  const data = missing
    ? {
        code: 'no_webgpu',
        where: '--runtime node',
        message: 'The package webgpu, which is WebGPU for Node, is not installed.',
        action: 'Run npm ci, without --omit=dev.',
      }
    : (error?.data ?? { code: 'internal', message: 'The run could not be started in Node.', details: error?.stack });
  await send({ type: 'refused', error: data });
  process.exit(1);
}
