// Tabtune's own code in Node: the tests' makers of exports, loaded through Vite, on the CPU references.
import { createRequire } from 'node:module';
import { root } from '../build.mjs';

/** Calls `use` with the module's exports. */
export async function withModule(file, use) {
  const { createServer } = await import('vite');
  // tfjs asks for it when its modules are not loaded as CommonJS.
  globalThis.require ??= createRequire(import.meta.url);
  const server = await createServer({
    ...{ root, configFile: false, logLevel: 'error', appType: 'custom', optimizeDeps: { noDiscovery: true } },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    // The gradients of tfjs are modules that Node does not resolve by itself.
    ssr: { noExternal: [/@tensorflow/], resolve: { mainFields: ['module', 'main'] } },
    define: { __TABTUNE_VERSION__: '"interop"' },
  });
  try {
    return await use(await server.ssrLoadModule(file));
  } finally {
    await server.close();
  }
}
