// Puts the code of exported pages beside the app, which fetches it from its own server when somebody exports a page.
import { buildPage, folder } from './build.mjs';

const types = {
  js: 'text/javascript',
  css: 'text/css',
  html: 'text/html',
  svg: 'image/svg+xml',
  json: 'application/json',
};

/** @returns {import('vite').Plugin} */
export function exportedPage(version) {
  let config;
  return {
    name: 'exported-page',
    configResolved(resolved) {
      config = resolved;
    },
    generateBundle: {
      // After the app's pages; before the service worker, which lists these files too.
      order: 'post',
      async handler(_options, bundle) {
        // Modules for Node have no page beside them.
        if (config.build.ssr || !bundle['index.html']) return;
        for (const { name, source } of await buildPage(config.root, version)) {
          this.emitFile({ type: 'asset', fileName: folder + name, source });
        }
      },
    },
    /** The development server builds them when they are asked for, and again when something changed. */
    configureServer(server) {
      let built = null;
      server.watcher.on('change', () => {
        built = null;
      });
      server.middlewares.use(`/${folder.slice(0, -1)}`, async (request, response, next) => {
        built ??= buildPage(config.root, version);
        const name = new URL(request.url, 'http://x').pathname.slice(1);
        const file = (await built).find((each) => each.name === name);
        if (!file) return next();
        response.setHeader('Content-Type', types[name.split('.').at(-1)] ?? 'text/plain');
        response.end(file.source);
      });
    },
  };
}
