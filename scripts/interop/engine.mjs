// Tabtune's own code in Node: the tests' makers of exports, loaded through Vite, on the CPU references.
import { root } from '../build.mjs';

/** Calls `use` with the module's exports. */
export async function withModule(file, use) {
  const { createServer } = await import('vite');
  const server = await createServer({
    ...{ root, configFile: false, logLevel: 'error', appType: 'custom', optimizeDeps: { noDiscovery: true } },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    define: { __TABTUNE_VERSION__: '"interop"' },
  });
  try {
    return await use(await server.ssrLoadModule(file));
  } finally {
    await server.close();
  }
}
