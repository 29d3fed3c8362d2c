// What the browser is told to refuse, in headers: scripts/serve.mjs sends them, and the service worker keeps them.

/**
 * The workers that hold people's data and run code of strangers (chat templates, tokenizers) may ask this server and nobody
 * else, and start no worker that may. A worker has the policy that its script comes with, not that of the page.
 */
export const closed = /(?:^|\/)assets\/(data|engine|plan|reward)-worker-[\w-]+\.js$/;
export const closedPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'none'";

/** The service worker fetches the app's own files, and has no way to anybody else. */
export const serviceWorker = /(?:^|\/)service-worker\.js$/;
export const serviceWorkerPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'";
